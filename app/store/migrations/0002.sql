-- Agreements: what the signed statements of the channel say, indexed. The statements themselves are in `statement`. ------

-- number is ours, by order of arrival; what an agreement is worth follows from the statements alone.
CREATE TABLE agreement (
    number INTEGER PRIMARY KEY,
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    id BLOB NOT NULL,           -- of the statement that proposes it
    ours INTEGER NOT NULL,      -- 1: proposed here
    UNIQUE (cid, id)
) STRICT;

-- Countersignatures and withdrawals, also of agreements that are not here yet.
CREATE TABLE agreement_answer (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    id BLOB NOT NULL,
    kind TEXT NOT NULL,         -- countersignature, withdrawal
    subject BLOB NOT NULL,      -- the agreement's id
    ours INTEGER NOT NULL,
    at TEXT NOT NULL,           -- the signer's clock
    counts INTEGER,             -- 1: by whom it must be and over the right bytes; 0: not; NULL: the agreement is not here yet
    PRIMARY KEY (cid, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX agreement_answer_to ON agreement_answer (cid, subject);

-- What the officer said of a release, and under which agreements it left.
CREATE TABLE release_terms (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    epoch BLOB NOT NULL,
    seq INTEGER NOT NULL,
    purpose TEXT NOT NULL,      -- "": none
    exercise INTEGER NOT NULL,
    PRIMARY KEY (cid, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE release_agreement (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    epoch BLOB NOT NULL,
    seq INTEGER NOT NULL,
    agreement INTEGER NOT NULL REFERENCES agreement (number),
    PRIMARY KEY (cid, epoch, seq, agreement)
) STRICT, WITHOUT ROWID;

-- An officer's word on what sectors an object is about; it stands before what identities say.
CREATE TABLE sector_label (
    oid INTEGER NOT NULL REFERENCES object (oid) ON DELETE CASCADE,
    sector TEXT NOT NULL,
    PRIMARY KEY (oid, sector)
) STRICT, WITHOUT ROWID;
