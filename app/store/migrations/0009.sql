-- Whose an attachment is stays known, whatever becomes of the inbox: the fingerprint of whom it came from, "" of our own.
ALTER TABLE attachment ADD COLUMN giver TEXT NOT NULL DEFAULT '';
