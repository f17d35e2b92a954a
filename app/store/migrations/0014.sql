-- Whose the objects of an identity are, by the officer's word: a counterpart's, or (0) ours. Only their side revokes them:
-- version.dropped is 2 for a revocation from another, which is kept and does not count.
CREATE TABLE creator (identity TEXT PRIMARY KEY, cid INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Versions whose text was made here, out of STIX 2.0.
CREATE TABLE converted (vid INTEGER PRIMARY KEY REFERENCES version (vid) ON DELETE CASCADE) STRICT;
CREATE INDEX version_disregarded ON version (oid) WHERE dropped = 2;
