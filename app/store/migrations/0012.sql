-- Sanitised objects: which content of ours became which new one, for whom. ------------------------------------------------

CREATE TABLE sanitised (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    original TEXT NOT NULL,         -- STIX ids
    original_sha256 BLOB NOT NULL,
    id TEXT NOT NULL,
    modified TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    at TEXT NOT NULL,
    officer TEXT NOT NULL,
    PRIMARY KEY (cid, id, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX sanitised_by_original ON sanitised (original, cid);
CREATE INDEX sanitised_by_id ON sanitised (id);

-- The identity that stands in the place of the real one, one for each counterpart.
CREATE TABLE pseudonym (cid INTEGER PRIMARY KEY REFERENCES counterpart (cid), id TEXT NOT NULL UNIQUE) STRICT;
