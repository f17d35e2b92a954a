-- Files whose hashes contradict each other: one MD5 or SHA-1, and more than one SHA-256. ----------------------------------

-- What a content in force says of one file. weak: MD5 or SHA-1 (their lengths differ), strong: SHA-256. stated: 1 for an
-- object that describes the file, 0 for an indicator that looks for it. Follows from the texts (app.intel.observables).
CREATE TABLE hashed (
    weak BLOB NOT NULL,
    stated INTEGER NOT NULL,
    strong BLOB NOT NULL,
    oid INTEGER NOT NULL,
    PRIMARY KEY (weak, stated, strong, oid)
) STRICT, WITHOUT ROWID;
CREATE INDEX hashed_of ON hashed (oid);

-- The officer's word that there are such files: together they are no conflict any more, with another one they are again.
CREATE TABLE told_apart (weak BLOB NOT NULL, strong BLOB NOT NULL, PRIMARY KEY (weak, strong)) STRICT, WITHOUT ROWID;

-- 1: what this object states of a file contradicts what another one states, and the officer has not looked at it.
ALTER TABLE object ADD COLUMN disputed INTEGER NOT NULL DEFAULT 0;
DROP INDEX object_in_conflict;
CREATE INDEX object_in_conflict ON object (moment, oid) WHERE variants > 1 OR disputed = 1;
DELETE FROM meta WHERE key = 'index';
