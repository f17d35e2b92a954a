-- What filters ask of an object stands in the indexes that lists walk along: what does not fit is passed by there, without
-- a page of the table for each.
DROP INDEX object_by_moment;
DROP INDEX object_by_type;
DROP INDEX object_by_level;
DROP INDEX object_revoked;
DROP INDEX object_in_conflict;
CREATE INDEX object_by_moment ON object (moment, oid, level, confidence, revoked);
CREATE INDEX object_by_type ON object (type, moment, oid, level, confidence, revoked);
CREATE INDEX object_by_level ON object (level, moment, oid, confidence, revoked);
CREATE INDEX object_revoked ON object (moment, oid, type) WHERE revoked = 1;
CREATE INDEX object_in_conflict ON object (moment, oid, type) WHERE variants > 1 OR disputed = 1;
