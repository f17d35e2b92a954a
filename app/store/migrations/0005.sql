-- The log as a Merkle tree (RFC 6962, app.audit) -----------------------------------------------------------------------

-- The chain that stores had before; its entries become the first of the tree at the next unlock, then it is dropped.
ALTER TABLE audit RENAME TO audit_chain;

-- entry is the exact text of leaf number - 1.
CREATE TABLE audit (number INTEGER PRIMARY KEY, entry TEXT NOT NULL) STRICT;

-- Complete nodes: (level, position) covers 2^level leaves from position * 2^level on. Level 0 are the leaves' hashes.
CREATE TABLE audit_node (
    level INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

-- How many entries the checkpoint had to which a package's manifest commits; 0: sealed before there was a tree.
ALTER TABLE outbox ADD COLUMN logged INTEGER NOT NULL DEFAULT 0;
