-- Why somebody corrected a count.
ALTER TABLE stock_movements ADD COLUMN note text;

-- One parcel per order, made when its packing begins.
CREATE TABLE shipments (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   uuid NOT NULL CONSTRAINT shipments_order_key UNIQUE REFERENCES orders (id),
    -- Where it goes: as it stood in the order when packing began.
    address    jsonb NOT NULL,
    carrier    text,
    tracking   text,
    created_at timestamptz NOT NULL,
    shipped_at timestamptz
);
