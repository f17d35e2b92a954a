-- What this installation is -------------------------------------------------------------------------------------------

CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The newest identity is the one in use; retired ones stay until every counterpart has acked the rotation.
CREATE TABLE identity (number INTEGER PRIMARY KEY, secret BLOB NOT NULL, card BLOB NOT NULL, since TEXT NOT NULL) STRICT;

CREATE TABLE officer (name TEXT PRIMARY KEY, since TEXT NOT NULL, removed TEXT) STRICT, WITHOUT ROWID;

-- The log --------------------------------------------------------------------------------------------------------------

-- entry is the exact text that was hashed; hash = SHA-256(previous hash || entry).
CREATE TABLE audit (number INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash BLOB NOT NULL) STRICT;

-- The holdings ---------------------------------------------------------------------------------------------------------

-- One row for each STIX id: what lists and filters need of the version in force. idh is a 64-bit hash of the id under a
-- key of this store: a third of the size of the id in every index, and nobody outside can make two ids collide.
CREATE TABLE object (
    oid INTEGER PRIMARY KEY,
    idh INTEGER NOT NULL UNIQUE,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    moment TEXT NOT NULL,
    marking INTEGER,            -- app.intel.marking.Level; NULL: no TLP marking
    handling INTEGER,           -- Level at which an object without a TLP marking is treated here; NULL: none given
    revoked INTEGER NOT NULL,
    variants INTEGER NOT NULL,  -- contents held for the moment in force: more than 1 is a conflict
    current INTEGER NOT NULL    -- vid of the version shown
) STRICT;
CREATE INDEX object_by_moment ON object (moment, oid);
CREATE INDEX object_by_type ON object (type, moment, oid);
CREATE INDEX object_by_name ON object (name COLLATE NOCASE, oid);
CREATE INDEX object_in_conflict ON object (oid) WHERE variants > 1;

-- Every content ever accepted. Same object and moment with another sha256 is a conflict unless one was kept.
CREATE TABLE version (
    vid INTEGER PRIMARY KEY,
    oid INTEGER NOT NULL REFERENCES object (oid) ON DELETE CASCADE,
    moment TEXT NOT NULL,
    modified TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    marking INTEGER,
    dropped INTEGER NOT NULL DEFAULT 0  -- 1: the officer resolved a conflict against it
) STRICT;
CREATE UNIQUE INDEX version_content ON version (oid, moment, sha256);
CREATE INDEX version_by_sha256 ON version (sha256);

-- The exact text, apart from the rest so that scans of versions stay short.
CREATE TABLE body (vid INTEGER PRIMARY KEY REFERENCES version (vid) ON DELETE CASCADE, raw BLOB NOT NULL) STRICT;

-- Every id a version needs, by hash.
CREATE TABLE reference (
    vid INTEGER NOT NULL REFERENCES version (vid) ON DELETE CASCADE,
    target INTEGER NOT NULL,
    PRIMARY KEY (vid, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_to ON reference (target, vid);

-- One act by which intel came in, and which versions it brought.
CREATE TABLE origin (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- import, package
    name TEXT NOT NULL,         -- the file's name, or the counterpart's fingerprint
    package INTEGER,            -- inbox number
    officer TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE TABLE source (
    vid INTEGER NOT NULL REFERENCES version (vid) ON DELETE CASCADE,
    origin INTEGER NOT NULL REFERENCES origin (number),
    PRIMARY KEY (vid, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_of_origin ON source (origin, vid);

-- Not contentless_delete: it leaves tombstones, and the words stay readable in the index's pages. A text is taken out word
-- by word with the 'delete' command, which needs it to the letter: whoever changes the folding must index everything anew.
CREATE VIRTUAL TABLE object_text USING fts5 (text, content = '', tokenize = 'unicode61 remove_diacritics 0');
INSERT INTO object_text (object_text, rank) VALUES ('secure-delete', 1);

-- The exchange ---------------------------------------------------------------------------------------------------------

CREATE TABLE counterpart (
    cid INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    alias TEXT NOT NULL UNIQUE COLLATE NOCASE,
    card BLOB NOT NULL,
    added TEXT NOT NULL,
    verified TEXT,              -- when, by the officer's word; NULL: not verified
    revoked TEXT
) STRICT;

-- The pure state of app.exchange.channel as JSON.
CREATE TABLE channel (cid INTEGER PRIMARY KEY REFERENCES counterpart (cid), state TEXT NOT NULL) STRICT;

-- Our one-time and reusable keys for a counterpart: private halves leave by DELETE, overwritten.
CREATE TABLE own_key (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    kind TEXT NOT NULL,         -- onetime, reusable
    number INTEGER NOT NULL,
    kid BLOB NOT NULL,
    seed BLOB NOT NULL,
    public BLOB NOT NULL,
    created TEXT NOT NULL,
    published INTEGER NOT NULL, -- seq of the package that first carried the public half
    PRIMARY KEY (cid, kind, number)
) STRICT;

-- Their keys, for sealing to them.
CREATE TABLE their_key (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    kid BLOB NOT NULL,
    public BLOB NOT NULL,
    received TEXT NOT NULL,
    PRIMARY KEY (cid, kind, number)
) STRICT;

-- SHA-256 of the age header of each committed package, ours and theirs, for good.
CREATE TABLE header (hash BLOB PRIMARY KEY, cid INTEGER NOT NULL, seq INTEGER NOT NULL, ours INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    seq INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    manifest_hash BLOB NOT NULL,
    manifest BLOB NOT NULL,
    signature BLOB NOT NULL,
    release BLOB,               -- NULL: no intel in it
    file TEXT NOT NULL,         -- name in the installation's outbox folder
    medium TEXT NOT NULL,       -- name under way: the one-time key's published id, else random
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    sealed TEXT NOT NULL,
    protection TEXT NOT NULL,   -- onetime, reusable, card
    reference TEXT NOT NULL,
    note TEXT NOT NULL,
    salt BLOB NOT NULL,         -- opens the manifest's commitment to the log
    receipt INTEGER NOT NULL DEFAULT 0,  -- revision of the newest receipt that came for it
    closed INTEGER NOT NULL DEFAULT 0,   -- 1: acked or void, the sealed file is not needed any more
    PRIMARY KEY (cid, epoch, seq)
) STRICT;
CREATE INDEX outbox_by_manifest ON outbox (manifest_hash);

CREATE TABLE inbox (
    number INTEGER PRIMARY KEY,
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    epoch BLOB NOT NULL,
    seq INTEGER NOT NULL,
    manifest_hash BLOB NOT NULL,
    manifest BLOB NOT NULL,
    signature BLOB NOT NULL,
    release BLOB,               -- NULL: no intel in it, or not shown
    received TEXT NOT NULL,
    protection TEXT NOT NULL,
    priority TEXT NOT NULL,
    state TEXT NOT NULL,        -- pending, decided
    note TEXT NOT NULL,
    reason TEXT NOT NULL,
    receipted INTEGER NOT NULL  -- revision of the last receipt sealed; 0: none
) STRICT;
CREATE INDEX inbox_by_counterpart ON inbox (cid, number);
-- A release id enters an inbox once.
CREATE UNIQUE INDEX inbox_release ON inbox (cid, release) WHERE release IS NOT NULL;

CREATE TABLE inbox_object (
    number INTEGER NOT NULL REFERENCES inbox (number),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    modified TEXT NOT NULL,
    moment TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    handling INTEGER,
    decision TEXT NOT NULL,     -- pending, accepted, refused
    raw BLOB NOT NULL,
    PRIMARY KEY (number, position)
) STRICT;
CREATE INDEX inbox_object_by_content ON inbox_object (number, sha256);

-- Signed manifests of theirs that contradict one we hold: proof of a fork.
CREATE TABLE evidence (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    epoch BLOB NOT NULL,
    seq INTEGER NOT NULL,
    manifest BLOB NOT NULL,
    signature BLOB NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (cid, manifest)
) STRICT;

CREATE TABLE ledger (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    epoch BLOB NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    modified TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    state TEXT NOT NULL,        -- sealed, carried, received, accepted, refused, recalled, void
    acknowledged INTEGER NOT NULL,
    PRIMARY KEY (cid, epoch, seq, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_id ON ledger (id, cid);
CREATE INDEX ledger_by_content ON ledger (cid, sha256);

-- Signed documents of the channel. Ours ride in every package until one that carried them is acked.
CREATE TABLE statement (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    id BLOB NOT NULL,
    ours INTEGER NOT NULL,
    kind TEXT NOT NULL,
    raw BLOB NOT NULL,
    at TEXT NOT NULL,
    acked INTEGER NOT NULL,
    PRIMARY KEY (cid, id)
) STRICT;
CREATE TABLE carried (
    cid INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    seq INTEGER NOT NULL,
    statement BLOB NOT NULL,
    PRIMARY KEY (cid, epoch, seq, statement)
) STRICT, WITHOUT ROWID;

CREATE TABLE drop_folder (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    folder TEXT NOT NULL
) STRICT;
-- Headers of packages found in a drop that are not for us: a look costs a trial of every key.
CREATE TABLE passed_over (drop_name TEXT NOT NULL, header BLOB NOT NULL, PRIMARY KEY (drop_name, header))
    STRICT, WITHOUT ROWID;
