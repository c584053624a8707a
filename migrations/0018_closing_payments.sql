-- A session that its shopper left for another provider's while its own did not answer: it may still be paid, and is asked
-- about until it is known to be closed.
ALTER TABLE payments DROP CONSTRAINT payments_status_check, ADD CONSTRAINT payments_status_check
    CHECK (status IN ('creating', 'open', 'closing', 'captured', 'late', 'declined', 'closed', 'refunding', 'refunded'));
-- A declined one is asked about as well: its shopper may have tried another card.
DROP INDEX payments_ask_idx;
CREATE INDEX payments_ask_idx ON payments (ask_at) WHERE status IN ('creating', 'open', 'closing', 'declined');
