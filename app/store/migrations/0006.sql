-- Attachments: files beside the database, each encrypted under a key that is kept here and nowhere else ------------------

-- To delete the row is to delete the file for good. One whose object is not held yet waits in the inbox.
CREATE TABLE attachment (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,           -- STIX id of the one object it belongs to
    oid INTEGER REFERENCES object (oid) ON DELETE CASCADE,  -- NULL: it waits in the inbox
    package INTEGER REFERENCES inbox (number) ON DELETE SET NULL,  -- NULL: attached here
    name TEXT NOT NULL,         -- made safe on arrival; a label, never a path
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    sample INTEGER NOT NULL,    -- 1: treated as malware
    file TEXT NOT NULL UNIQUE,  -- random: tells nothing
    key BLOB NOT NULL,
    officer TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX attachment_name ON attachment (oid, name) WHERE oid IS NOT NULL;
CREATE INDEX attachment_of_package ON attachment (package) WHERE package IS NOT NULL;

-- Which attachments went with an object in a package of ours. How far that got, the ledger says of the object.
CREATE TABLE attachment_given (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    epoch BLOB NOT NULL,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (cid, epoch, seq, id, sha256)
) STRICT, WITHOUT ROWID;
