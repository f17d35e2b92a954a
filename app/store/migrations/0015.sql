-- What receipts told in numbers. ----------------------------------

ALTER TABLE outbox ADD COLUMN accepted INTEGER;     -- NULL: no receipt came
ALTER TABLE outbox ADD COLUMN refused INTEGER;
