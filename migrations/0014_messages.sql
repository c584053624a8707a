-- Each lane of the outbox finds its own work, however many mails wait for a server that is away.
CREATE INDEX outbox_topic_idx ON outbox (topic, due_at, id);
DROP INDEX outbox_due_idx;
