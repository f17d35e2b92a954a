-- Requests for information, by a number of ours in order of arrival; what they are worth follows from the statements alone.
CREATE TABLE enquiry (
    number INTEGER PRIMARY KEY,
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    id BLOB NOT NULL,           -- the statement's
    ours INTEGER NOT NULL,      -- 1: we asked
    UNIQUE (cid, id)
) STRICT;
