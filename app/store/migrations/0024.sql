-- Columns that are worked out are worked out at every insert, wanted or not: ids and timestamps are put together where
-- they are read.
ALTER TABLE object DROP COLUMN id;
ALTER TABLE object DROP COLUMN modified;
ALTER TABLE version DROP COLUMN modified;

-- The first act by which a content came stands in its row; `source` has the further ones.
ALTER TABLE version ADD COLUMN origin INTEGER REFERENCES origin (number);
UPDATE version SET origin = (SELECT min(origin) FROM source WHERE source.vid = version.vid);
DELETE FROM source WHERE origin = (SELECT origin FROM version WHERE version.vid = source.vid);
CREATE INDEX version_by_origin ON version (origin);

-- Whose a content is stands in its row too, and in no link: there are as many of those as of all others.
ALTER TABLE version ADD COLUMN creator INTEGER;
CREATE INDEX version_by_creator ON version (creator) WHERE creator IS NOT NULL;
ALTER TABLE object DROP COLUMN creator;
DELETE FROM meta WHERE key = 'index';

-- A content is looked for under its id.
DROP INDEX version_by_sha256;
