-- What binds an object beside its level, and whom one may ask. ---------------------------------------------------------

-- Days as 2026-12-01, "" for none: before that day something is not done.
CREATE TABLE restraint (
    oid INTEGER PRIMARY KEY REFERENCES object (oid) ON DELETE CASCADE,
    held TEXT NOT NULL,         -- it leaves for nobody, as an officer here said
    travels TEXT NOT NULL,      -- whoever is given it passes it on to nobody, as an officer here said
    theirs TEXT NOT NULL,       -- we pass it on to nobody: the latest day that a counterpart named
    exercise INTEGER NOT NULL   -- 1: it came as a part of an exercise
) STRICT;

-- What came with an object in the inbox, to be taken over when it is accepted.
CREATE TABLE inbox_restraint (
    number INTEGER NOT NULL REFERENCES inbox (number),
    sha256 BLOB NOT NULL,
    embargo TEXT NOT NULL,
    exercise INTEGER NOT NULL,
    PRIMARY KEY (number, sha256)
) STRICT, WITHOUT ROWID;

-- Requests and consents, by a number of ours in order of arrival; what they are worth follows from the statements alone.
CREATE TABLE asking (
    number INTEGER PRIMARY KEY,
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    id BLOB NOT NULL,           -- the statement's
    UNIQUE (cid, id)
) STRICT;
