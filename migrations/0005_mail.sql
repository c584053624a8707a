-- When the mail left the shop; NULL: not yet, or never (the cart moved on before it was its turn).
ALTER TABLE cart_mails ADD COLUMN sent_at timestamptz;
