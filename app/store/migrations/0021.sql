-- A sum over the small tables that say how things stand, and the length of the log: app.store.standing. One row, or none yet.
CREATE TABLE seal (sum BLOB NOT NULL) STRICT;
