-- Lists in every order, behind a key, from an index that has that order.

CREATE INDEX object_by_level ON object (level, moment, oid);
CREATE INDEX object_revoked ON object (moment, oid) WHERE revoked = 1;
DROP INDEX object_in_conflict;
CREATE INDEX object_in_conflict ON object (moment, oid) WHERE variants > 1;

-- Beside its text, the words for an object's type and for the year, month and day it changed in: so that what fits a
-- common word is found newest first, a period at a time, without looking at everything that fits.
DROP TABLE object_text;
CREATE VIRTUAL TABLE object_text USING fts5 (text, tags, content = '', tokenize = 'unicode61 remove_diacritics 0');
INSERT INTO object_text (object_text, rank) VALUES ('secure-delete', 1);
DELETE FROM meta WHERE key = 'index';
