-- Recalls: what the signed statements of the channel say, indexed. The statements themselves are in `statement`. ---------

CREATE TABLE recall (
    number INTEGER PRIMARY KEY, -- ours, by order of arrival
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    id BLOB NOT NULL,           -- the statement's
    ours INTEGER NOT NULL,      -- 1: we asked something back
    state TEXT NOT NULL,        -- open, confirmed, refused, withdrawn: a function of the statements held
    standing INTEGER NOT NULL,  -- 1: what it names is not to be accepted or passed on by whom it was asked back from
    withdrawn INTEGER NOT NULL, -- 1: whoever recalled took that back
    at TEXT NOT NULL,           -- when it was made or came, by the clock here
    UNIQUE (cid, id)
) STRICT;
CREATE TABLE recalled (
    recall INTEGER NOT NULL REFERENCES recall (number),
    id TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (recall, sha256, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recalled_content ON recalled (sha256);

CREATE INDEX inbox_object_by_id ON inbox_object (id, sha256);
