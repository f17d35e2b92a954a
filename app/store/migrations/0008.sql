-- Identities that follow one another -----------------------------------------------------------------------------------

-- rotation: the statement by which the identity before named this one; NULL: it is the first, or took a lost one's place.
-- Of a retired identity `secret` holds the private half of the card's KEM key alone, and in the end nothing.
ALTER TABLE identity ADD COLUMN rotation BLOB;

-- Cards of a counterpart whose place another took: the next one after it is the next row of the same cid, or the card pinned now.
CREATE TABLE former_card (
    number INTEGER PRIMARY KEY,
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    fingerprint TEXT NOT NULL UNIQUE,
    card BLOB NOT NULL,
    rotation BLOB,              -- the statement that named its successor; NULL: a new ceremony did
    until TEXT NOT NULL
) STRICT;
CREATE INDEX former_card_of ON former_card (cid, number);

-- carried: when a rotation carried the verification over to the card pinned now; NULL: an officer compared this very card.
ALTER TABLE counterpart ADD COLUMN carried TEXT;
-- disputed: the fingerprint of a second successor that the same old key signed; NULL: there is none.
ALTER TABLE counterpart ADD COLUMN disputed TEXT;
-- replaces: the cid whose place this card takes once it is verified.
ALTER TABLE counterpart ADD COLUMN replaces INTEGER;

-- What of ours is kept only until a counterpart can have nothing under way that was sealed to it: since their package `seq`
-- of `epoch` they know the one that came after. kind: reusable (number of the newer key), identity (number of the newer one).
CREATE TABLE superseded (
    cid INTEGER NOT NULL REFERENCES counterpart (cid),
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (cid, kind, number)
) STRICT, WITHOUT ROWID;
