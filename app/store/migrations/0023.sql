-- Why a counterpart refused what it refused of a package of ours, as its newest receipt says. It stands in the signed receipt
-- too; those that came before this are not read again.
ALTER TABLE outbox ADD COLUMN reason TEXT NOT NULL DEFAULT '';
