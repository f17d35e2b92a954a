-- What a statement is about, by the id that its text names, in hexadecimal: it is found without reading all others. The
-- text is canonical JSON, in which a quotation mark within a string is escaped: the first match is the name itself, or
-- the statement cannot be read at all.
ALTER TABLE statement ADD COLUMN about BLOB GENERATED ALWAYS AS (
    CASE kind
        WHEN 'confirmation' THEN substr(raw, nullif(instr(raw, CAST('"recall":"' AS BLOB)), 0) + 10, 64)
        WHEN 'consent' THEN substr(raw, nullif(instr(raw, CAST('"request":"' AS BLOB)), 0) + 11, 64)
        WHEN 'withdrawal' THEN substr(raw, nullif(instr(raw, CAST('"subject":"' AS BLOB)), 0) + 11, 64)
    END
) VIRTUAL;
CREATE INDEX statement_about ON statement (cid, about) WHERE about IS NOT NULL;
