-- What the receipts of a counterpart said of packages of ours, by package and revision: two that differ under one revision
-- are told. `other` is the first statement that says otherwise.
CREATE TABLE answered (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    package BLOB NOT NULL,      -- the hash of its manifest
    revision INTEGER NOT NULL,
    digest BLOB NOT NULL,       -- SHA-256 of what it says
    statement BLOB NOT NULL,
    other BLOB,
    PRIMARY KEY (cid, package, revision)
) STRICT, WITHOUT ROWID;
