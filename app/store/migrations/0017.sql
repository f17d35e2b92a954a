-- The latest time that any entry of the log bears, though the newest may bear an earlier one: permissions that ended by
-- it do not come back when the clock goes back. Kept by the log itself, so that no act can forget it.
CREATE TABLE clock (latest TEXT NOT NULL) STRICT;
INSERT INTO clock (latest)
    SELECT coalesce(max(json_extract(entry, '$.at')), '') FROM audit
    WHERE CASE WHEN json_valid(entry) THEN json_type(entry, '$.at') = 'text' ELSE 0 END;

CREATE TRIGGER audit_clock AFTER INSERT ON audit
    WHEN CASE WHEN json_valid(NEW.entry) THEN json_type(NEW.entry, '$.at') = 'text' ELSE 0 END
BEGIN
    UPDATE clock SET latest = max(latest, json_extract(NEW.entry, '$.at'));
END;
