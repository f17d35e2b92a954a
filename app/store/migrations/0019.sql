-- The holdings take less room: nothing is kept twice that follows from something shorter. ---------------------------------

-- A moment as app.intel.timestamp makes it: two characters for the year, one each for month to second, then the fraction.
DROP INDEX object_by_moment;
DROP INDEX object_by_type;
DROP INDEX object_by_level;
DROP INDEX object_revoked;
DROP INDEX object_in_conflict;
UPDATE inbox_object SET moment = char(32 + substr(moment, 1, 2), 32 + substr(moment, 3, 2), 32 + substr(moment, 6, 2),
    32 + substr(moment, 9, 2), 32 + substr(moment, 12, 2), 32 + substr(moment, 15, 2), 32 + substr(moment, 18, 2))
    || substr(moment, 21) WHERE moment <> '';

-- uid: the UUID as 16 bytes; an id that is not written in small letters stands there whole. fraction: how many digits of a
-- second `modified` is written with.
ALTER TABLE object ADD COLUMN uid ANY NOT NULL DEFAULT '';
ALTER TABLE object ADD COLUMN fraction INTEGER NOT NULL DEFAULT 0;
UPDATE object SET
    uid = CASE id WHEN lower(id) THEN coalesce(unhex(replace(substr(id, length(type) + 3), '-', '')), id) ELSE id END,
    fraction = max(length(modified) - 21, 0),
    moment = CASE moment WHEN '' THEN '' ELSE
        char(32 + substr(moment, 1, 2), 32 + substr(moment, 3, 2), 32 + substr(moment, 6, 2), 32 + substr(moment, 9, 2),
            32 + substr(moment, 12, 2), 32 + substr(moment, 15, 2), 32 + substr(moment, 18, 2)) || substr(moment, 21) END;
ALTER TABLE object DROP COLUMN id;
ALTER TABLE object DROP COLUMN created;
ALTER TABLE object DROP COLUMN modified;
ALTER TABLE object ADD COLUMN id TEXT GENERATED ALWAYS AS (CASE typeof(uid) WHEN 'blob' THEN
    type || '--' || lower(substr(hex(uid), 1, 8) || '-' || substr(hex(uid), 9, 4) || '-' || substr(hex(uid), 13, 4)
    || '-' || substr(hex(uid), 17, 4) || '-' || substr(hex(uid), 21)) ELSE uid END) VIRTUAL;
ALTER TABLE object ADD COLUMN modified TEXT GENERATED ALWAYS AS (CASE moment WHEN '' THEN '' ELSE
    format('%02d%02d-%02d-%02dT%02d:%02d:%02d', unicode(moment) - 32, unicode(substr(moment, 2)) - 32,
        unicode(substr(moment, 3)) - 32, unicode(substr(moment, 4)) - 32, unicode(substr(moment, 5)) - 32,
        unicode(substr(moment, 6)) - 32, unicode(substr(moment, 7)) - 32)
    || CASE fraction WHEN 0 THEN '' ELSE '.' || substr(substr(moment, 8) || format('%064d', 0), 1, fraction) END
    || 'Z' END) VIRTUAL;
CREATE INDEX object_by_moment ON object (moment, oid);
CREATE INDEX object_by_type ON object (type, moment, oid);
CREATE INDEX object_by_level ON object (level, moment, oid);
CREATE INDEX object_revoked ON object (moment, oid) WHERE revoked = 1;
CREATE INDEX object_in_conflict ON object (moment, oid) WHERE variants > 1 OR disputed = 1;

-- A version has its text beside it: one row, one place on the disk.
DROP INDEX version_by_sha256;
ALTER TABLE version ADD COLUMN fraction INTEGER NOT NULL DEFAULT 0;
ALTER TABLE version ADD COLUMN raw BLOB NOT NULL DEFAULT x'';
UPDATE version SET
    raw = (SELECT raw FROM body WHERE body.vid = version.vid),
    fraction = max(length(modified) - 21, 0),
    moment = CASE moment WHEN '' THEN '' ELSE
        char(32 + substr(moment, 1, 2), 32 + substr(moment, 3, 2), 32 + substr(moment, 6, 2), 32 + substr(moment, 9, 2),
            32 + substr(moment, 12, 2), 32 + substr(moment, 15, 2), 32 + substr(moment, 18, 2)) || substr(moment, 21) END;
ALTER TABLE version DROP COLUMN modified;
ALTER TABLE version ADD COLUMN modified TEXT GENERATED ALWAYS AS (CASE moment WHEN '' THEN '' ELSE
    format('%02d%02d-%02d-%02dT%02d:%02d:%02d', unicode(moment) - 32, unicode(substr(moment, 2)) - 32,
        unicode(substr(moment, 3)) - 32, unicode(substr(moment, 4)) - 32, unicode(substr(moment, 5)) - 32,
        unicode(substr(moment, 6)) - 32, unicode(substr(moment, 7)) - 32)
    || CASE fraction WHEN 0 THEN '' ELSE '.' || substr(substr(moment, 8) || format('%064d', 0), 1, fraction) END
    || 'Z' END) VIRTUAL;
DROP TABLE body;
-- Five bytes of a hash find a content among millions.
CREATE INDEX version_by_sha256 ON version (substr(sha256, 1, 5));

-- Made anew from the texts: rel and kind are numbers of app.store.codes, or any other name as it is; src is 0 for a
-- reference inside an object, which is that of vid.
DROP TABLE edge;
CREATE TABLE edge (
    vid INTEGER NOT NULL REFERENCES version (vid) ON DELETE CASCADE,
    rel ANY NOT NULL,
    src INTEGER NOT NULL,
    dst INTEGER NOT NULL,
    related INTEGER NOT NULL,   -- 1: said by a relationship object
    PRIMARY KEY (vid, rel, src, dst)
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_to ON edge (dst, rel, vid, src, related);
CREATE INDEX edge_from ON edge (src, rel, vid, dst) WHERE related = 1;
DROP TABLE observable;
CREATE TABLE observable (
    val TEXT NOT NULL,
    kind ANY NOT NULL,
    oid INTEGER NOT NULL,
    PRIMARY KEY (val, kind, oid)
) STRICT, WITHOUT ROWID;
-- Bytes of words that wait for each other before they are written.
INSERT INTO object_text (object_text, rank) VALUES ('hashsize', 8388608);
INSERT INTO observable_text (observable_text, rank) VALUES ('hashsize', 8388608);
DELETE FROM meta WHERE key = 'index';
