-- The rows of orders and the ledger arrive in batches. A foreign key asks for the order and the book of each row on its own,
-- and locks the book's row each time: a third of Postgres' time at writing orders down. The same promise, once per
-- statement: what a row names is there when it arrives, and neither orders nor books ever go.

-- All at once, in the order of those who write orders down, or not at all: the migration is tried again at the next start.
SET LOCAL lock_timeout = '10s';
LOCK TABLE orders, order_words, order_items, order_history, stock_movements, books IN ACCESS EXCLUSIVE MODE;

-- Restores of data alone come with an empty search path. One look into the primary key per row, also where the plan was made
-- while the table was small.
CREATE FUNCTION bazar_keeps_orders() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE missing uuid;
BEGIN
    SELECT a.order_id INTO missing FROM arrived a
        WHERE a.order_id IS NOT NULL AND NOT EXISTS (SELECT FROM orders o WHERE o.id = a.order_id) LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING TABLE = TG_TABLE_NAME, MESSAGE = format('%s: there is no order %s', TG_TABLE_NAME, missing);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION bazar_keeps_books() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE missing bigint;
BEGIN
    SELECT a.book_id INTO missing FROM (SELECT DISTINCT book_id FROM arrived) a
        WHERE NOT EXISTS (SELECT FROM books b WHERE b.id = a.book_id) LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING TABLE = TG_TABLE_NAME, MESSAGE = format('%s: there is no book %s', TG_TABLE_NAME, missing);
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    pair text[];
    event text;
BEGIN
    FOREACH pair SLICE 1 IN ARRAY ARRAY[
        ['order_items', 'order'], ['order_items', 'book'], ['order_history', 'order'], ['order_words', 'order'],
        ['stock_movements', 'order'], ['stock_movements', 'book']
    ] LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', pair[1], pair[1] || '_' || pair[2] || '_id_fkey');
        FOREACH event IN ARRAY ARRAY['INSERT', 'UPDATE'] LOOP
            EXECUTE format(
                'CREATE TRIGGER %I AFTER %s ON %I REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION bazar_keeps_%ss()',
                format('%s_has_%s_%s', pair[1], pair[2], lower(event)), event, pair[1], pair[2]);
        END LOOP;
    END LOOP;
END $$;

CREATE FUNCTION bazar_stays() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'rows of % stay, each with the id that it has', TG_TABLE_NAME; END $$;
CREATE TRIGGER orders_stay BEFORE DELETE OR UPDATE OF id ON orders FOR EACH ROW EXECUTE FUNCTION bazar_stays();
CREATE TRIGGER orders_stay_all BEFORE TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION bazar_stays();
CREATE TRIGGER books_stay BEFORE DELETE OR UPDATE OF id ON books FOR EACH ROW EXECUTE FUNCTION bazar_stays();
CREATE TRIGGER books_stay_all BEFORE TRUNCATE ON books FOR EACH STATEMENT EXECUTE FUNCTION bazar_stays();
