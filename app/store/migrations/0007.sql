-- Indexes of what is held. All of it follows from the texts (app.intel.indexing), for the contents in force of each object;
-- app.store.index writes it, takes it out again and, when the way of indexing changes, makes it anew.

-- created_by_ref by hash, and STIX's own confidence, of the version in force.
ALTER TABLE object ADD COLUMN creator INTEGER;
ALTER TABLE object ADD COLUMN confidence INTEGER;
-- The stricter of marking and handling, -1 for neither.
ALTER TABLE object ADD COLUMN level INTEGER
    GENERATED ALWAYS AS (max(coalesce(marking, -1), coalesce(handling, -1))) VIRTUAL;

-- What an object is about, in normal form. By value first, so that an exact value, a beginning of a hash and the other
-- holders of a value are each one range.
CREATE TABLE observable (
    val TEXT NOT NULL,
    kind TEXT NOT NULL,
    oid INTEGER NOT NULL,
    PRIMARY KEY (val, kind, oid)
) STRICT, WITHOUT ROWID;

-- Domain names, and those in URLs and e-mail addresses, written backwards: everything under a domain is one range.
CREATE TABLE domain (reversed TEXT NOT NULL, oid INTEGER NOT NULL, PRIMARY KEY (reversed, oid)) STRICT, WITHOUT ROWID;

-- Any three letters of URLs, domains and file names, for finding a part of one. The rest would fill the disk for nothing.
CREATE VIRTUAL TABLE observable_text USING fts5 (text, content = '', columnsize = 0, tokenize = 'trigram');
INSERT INTO observable_text (observable_text, rank) VALUES ('secure-delete', 1);

-- Ids that others gave: T1059.001 of mitre-attack, CVE-2024-3094 of cve.
CREATE TABLE external (value TEXT NOT NULL, source TEXT NOT NULL, oid INTEGER NOT NULL, PRIMARY KEY (value, source, oid))
    STRICT, WITHOUT ROWID;

-- One link, from id to id by hash: a relationship object's (rel is its relationship_type, src and dst are others than the
-- object itself), or a reference inside an object (rel is the property, src the object). vid is the content that says so,
-- always one in force. Markings are not links: see `marked`. An end need not be held.
CREATE TABLE edge (
    vid INTEGER NOT NULL REFERENCES version (vid) ON DELETE CASCADE,
    rel TEXT NOT NULL,
    src INTEGER NOT NULL,
    dst INTEGER NOT NULL,
    related INTEGER NOT NULL,   -- 1: said by a relationship object
    PRIMARY KEY (vid, rel, src, dst)
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_to ON edge (dst, rel, vid, src, related);
-- References inside an object are found by its vid.
CREATE INDEX edge_from ON edge (src, rel, vid, dst) WHERE related = 1;

-- The marking definitions, but for the published ones, that any version needs: its level is read again when one comes.
CREATE TABLE marked (
    vid INTEGER NOT NULL REFERENCES version (vid) ON DELETE CASCADE,
    definition INTEGER NOT NULL,
    PRIMARY KEY (vid, definition)
) STRICT, WITHOUT ROWID;
CREATE INDEX marked_by ON marked (definition, vid);
DROP TABLE reference;

-- How many objects there are of each value of a facet: all, type, level, source, revoked, conflict. Written with the objects.
CREATE TABLE facet (facet TEXT NOT NULL, value TEXT NOT NULL, objects INTEGER NOT NULL, PRIMARY KEY (facet, value))
    STRICT, WITHOUT ROWID;

-- An object has few versions: its number leads to them, and their order is that of arrival. Eight bytes of a hash find a
-- content among millions.
DROP INDEX version_content;
DROP INDEX version_by_sha256;
CREATE INDEX version_of ON version (oid);
CREATE INDEX version_by_sha256 ON version (substr(sha256, 1, 8));
