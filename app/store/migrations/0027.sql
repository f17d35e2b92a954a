-- Bytes of words that wait for each other before they are written, twice as many as before: of a million objects, each
-- word is merged half as often. Those of observables gain nothing by it.
INSERT INTO object_text (object_text, rank) VALUES ('hashsize', 16777216);
