-- What whoever stands behind the sender of a content lets be done with it: never, consent, within-tlp; '' if nobody does.
ALTER TABLE inbox_restraint ADD COLUMN onward TEXT NOT NULL DEFAULT '';
