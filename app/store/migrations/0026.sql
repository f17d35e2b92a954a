-- Of tables that may grow long, the number of rows and a sum of what they say is kept as rows come, change and go: read
-- whole with each act they would cost as much as they are long (app.store.standing). A view gives each row a number. It
-- need not be hard to meet: older pages are to be told from newer ones, and nobody without the key writes any.
CREATE TABLE row_sum (name TEXT PRIMARY KEY, many INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE VIEW restraint_said AS SELECT oid,
    (oid % 1000003 + 1) * ((1 + replace(held, '-', '') * 31 + replace(travels, '-', '') * 101
        + replace(theirs, '-', '') * 1009 + exercise * 7) % 999983) AS said
    FROM restraint;
CREATE TRIGGER restraint_came AFTER INSERT ON restraint BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM restraint_said WHERE oid = new.oid)
        WHERE name = 'restraint';
END;
CREATE TRIGGER restraint_goes BEFORE DELETE ON restraint BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM restraint_said WHERE oid = old.oid)
        WHERE name = 'restraint';
END;
INSERT INTO row_sum SELECT 'restraint', count(*), coalesce(sum(said), 0) FROM restraint_said;

CREATE VIEW sector_label_said AS SELECT oid, sector,
    (oid % 1000003 + 1) * (length(sector) * 31 + coalesce(unicode(sector) * 257 + unicode(substr(sector, -3)) * 1009, 0)) AS said
    FROM sector_label;
CREATE TRIGGER sector_label_came AFTER INSERT ON sector_label BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM sector_label_said
        WHERE oid = new.oid AND sector = new.sector)
        WHERE name = 'sector_label';
END;
CREATE TRIGGER sector_label_goes BEFORE DELETE ON sector_label BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM sector_label_said
        WHERE oid = old.oid AND sector = old.sector)
        WHERE name = 'sector_label';
END;
INSERT INTO row_sum SELECT 'sector_label', count(*), coalesce(sum(said), 0) FROM sector_label_said;

CREATE VIEW inbox_restraint_said AS SELECT number, sha256,
    number AS said
    FROM inbox_restraint;
CREATE TRIGGER inbox_restraint_came AFTER INSERT ON inbox_restraint BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM inbox_restraint_said
        WHERE number = new.number AND sha256 = new.sha256)
        WHERE name = 'inbox_restraint';
END;
CREATE TRIGGER inbox_restraint_goes BEFORE DELETE ON inbox_restraint BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM inbox_restraint_said
        WHERE number = old.number AND sha256 = old.sha256)
        WHERE name = 'inbox_restraint';
END;
INSERT INTO row_sum SELECT 'inbox_restraint', count(*), coalesce(sum(said), 0) FROM inbox_restraint_said;

CREATE VIEW attachment_given_said AS SELECT cid, epoch, seq, id, sha256,
    cid * 7919 + seq AS said
    FROM attachment_given;
CREATE TRIGGER attachment_given_came AFTER INSERT ON attachment_given BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM attachment_given_said
        WHERE cid = new.cid AND epoch = new.epoch AND seq = new.seq AND id = new.id AND sha256 = new.sha256)
        WHERE name = 'attachment_given';
END;
CREATE TRIGGER attachment_given_goes BEFORE DELETE ON attachment_given BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM attachment_given_said
        WHERE cid = old.cid AND epoch = old.epoch AND seq = old.seq AND id = old.id AND sha256 = old.sha256)
        WHERE name = 'attachment_given';
END;
INSERT INTO row_sum SELECT 'attachment_given', count(*), coalesce(sum(said), 0) FROM attachment_given_said;

CREATE VIEW answered_said AS SELECT cid, package, revision,
    cid * 7919 + revision * 2 + (other IS NOT NULL) AS said
    FROM answered;
CREATE TRIGGER answered_came AFTER INSERT ON answered BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM answered_said
        WHERE cid = new.cid AND package = new.package AND revision = new.revision)
        WHERE name = 'answered';
END;
CREATE TRIGGER answered_goes BEFORE DELETE ON answered BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM answered_said
        WHERE cid = old.cid AND package = old.package AND revision = old.revision)
        WHERE name = 'answered';
END;
CREATE TRIGGER answered_changes BEFORE UPDATE OF other ON answered BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM answered_said
        WHERE cid = old.cid AND package = old.package AND revision = old.revision)
        WHERE name = 'answered';
END;
CREATE TRIGGER answered_changed AFTER UPDATE OF other ON answered BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM answered_said
        WHERE cid = new.cid AND package = new.package AND revision = new.revision)
        WHERE name = 'answered';
END;
INSERT INTO row_sum SELECT 'answered', count(*), coalesce(sum(said), 0) FROM answered_said;

CREATE VIEW inbox_said AS SELECT number,
    (number % 1000003 + 1) * ((unicode(state) + revision * 31 + receipted * 1009) % 999983) AS said
    FROM inbox;
CREATE TRIGGER inbox_came AFTER INSERT ON inbox BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM inbox_said WHERE number = new.number)
        WHERE name = 'inbox';
END;
CREATE TRIGGER inbox_goes BEFORE DELETE ON inbox BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM inbox_said WHERE number = old.number)
        WHERE name = 'inbox';
END;
CREATE TRIGGER inbox_changes BEFORE UPDATE OF state, revision, receipted ON inbox BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM inbox_said WHERE number = old.number)
        WHERE name = 'inbox';
END;
CREATE TRIGGER inbox_changed AFTER UPDATE OF state, revision, receipted ON inbox BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM inbox_said WHERE number = new.number)
        WHERE name = 'inbox';
END;
INSERT INTO row_sum SELECT 'inbox', count(*), coalesce(sum(said), 0) FROM inbox_said;

CREATE VIEW outbox_said AS SELECT cid, epoch, seq,
    ((cid * 7919 + seq) % 1000003 + 1) * ((1 + closed * 7 + receipt * 31 + coalesce(accepted + 1, 0) * 1009
        + coalesce(refused + 1, 0) * 101) % 999983) AS said
    FROM outbox;
CREATE TRIGGER outbox_came AFTER INSERT ON outbox BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM outbox_said
        WHERE cid = new.cid AND epoch = new.epoch AND seq = new.seq)
        WHERE name = 'outbox';
END;
CREATE TRIGGER outbox_goes BEFORE DELETE ON outbox BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM outbox_said
        WHERE cid = old.cid AND epoch = old.epoch AND seq = old.seq)
        WHERE name = 'outbox';
END;
CREATE TRIGGER outbox_changes BEFORE UPDATE OF closed, receipt, accepted, refused ON outbox BEGIN
    UPDATE row_sum SET many = many - 1, sum = sum - (SELECT said FROM outbox_said
        WHERE cid = old.cid AND epoch = old.epoch AND seq = old.seq)
        WHERE name = 'outbox';
END;
CREATE TRIGGER outbox_changed AFTER UPDATE OF closed, receipt, accepted, refused ON outbox BEGIN
    UPDATE row_sum SET many = many + 1, sum = sum + (SELECT said FROM outbox_said
        WHERE cid = new.cid AND epoch = new.epoch AND seq = new.seq)
        WHERE name = 'outbox';
END;
INSERT INTO row_sum SELECT 'outbox', count(*), coalesce(sum(said), 0) FROM outbox_said;
