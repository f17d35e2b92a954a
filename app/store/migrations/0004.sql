-- A receipt's revision grows with each decision on a package; an acceptance that is undone is one too.
ALTER TABLE inbox ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
UPDATE inbox SET revision = 1 + (
    SELECT count(*) FROM inbox_object o WHERE o.number = inbox.number AND o.decision <> 'pending'
);
