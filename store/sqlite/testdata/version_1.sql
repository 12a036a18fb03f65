-- A database as version 1 of the schema left it.
CREATE TABLE sluice_migrations (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
CREATE TABLE sluice_sessions (
    id           TEXT    NOT NULL PRIMARY KEY,
    version      INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    workspace_id TEXT    NOT NULL,
    template_id  TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    snapshot     TEXT    NOT NULL
) STRICT;
CREATE INDEX sluice_sessions_created ON sluice_sessions (created_at, id);
CREATE INDEX sluice_sessions_status ON sluice_sessions (status, created_at, id);
CREATE INDEX sluice_sessions_workspace ON sluice_sessions (workspace_id, created_at, id);
CREATE INDEX sluice_sessions_template ON sluice_sessions (template_id, created_at, id);
CREATE INDEX sluice_sessions_updated
    ON sluice_sessions (updated_at, created_at, id, status, workspace_id, template_id);
CREATE TABLE sluice_events (
    session_id TEXT    NOT NULL REFERENCES sluice_sessions (id),
    version    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    PRIMARY KEY (session_id, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE sluice_resources (
    id         TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sluice_sessions (id)
) STRICT, WITHOUT ROWID;
INSERT INTO sluice_migrations VALUES (1, 0, 1, '2025-10-01 08:00:00');
INSERT INTO sluice_migrations VALUES (2, 1, 1, '2025-10-01 08:00:00');
INSERT INTO sluice_sessions VALUES ('awaiting', 1, 'awaiting', 'w', 't', 1758542400, 1758542400, '{"format":1,"id":"awaiting","name":"Onboarding","template_id":"t","workspace_id":"w","version":1,"created_at":"2025-09-22T12:00:00Z","updated_at":"2025-09-22T12:00:00Z","groups":[{"type":"company_verification","actions":[]},{"type":"signature_request","actions":[]}]}');
INSERT INTO sluice_sessions VALUES ('blocked', 3, 'blocked', 'w', 't', 1758542400, 1758542520, '{"format":1,"id":"blocked","name":"Onboarding","template_id":"t","workspace_id":"w","version":3,"created_at":"2025-09-22T12:00:00Z","updated_at":"2025-09-22T12:02:00Z","groups":[{"type":"company_verification","actions":[{"attempts":[{"resource":{"id":"blocked.1","type":"company_verification","status":"failed","created_at":"2025-09-22T12:00:00Z","as_of":"2025-09-22T12:00:01Z"},"inputs_digest":"0100000000000000000000000000000000000000000000000000000000000000"}]}]},{"type":"signature_request","actions":[]}]}');
INSERT INTO sluice_sessions VALUES ('retried', 3, 'ongoing', 'w', 't', 1758542400, 1758542520, '{"format":1,"id":"retried","name":"Onboarding","template_id":"t","workspace_id":"w","version":3,"created_at":"2025-09-22T12:00:00Z","updated_at":"2025-09-22T12:02:00Z","groups":[{"type":"company_verification","actions":[{"attempts":[{"resource":{"id":"retried.1","type":"company_verification","status":"failed","created_at":"2025-09-22T12:00:00Z","as_of":"2025-09-22T12:00:00Z"},"inputs_digest":"0100000000000000000000000000000000000000000000000000000000000000"},{"resource":{"id":"retried.2","type":"company_verification","status":"pending","created_at":"2025-09-22T12:00:00Z","as_of":"2025-09-22T12:00:00Z"},"inputs_digest":"0200000000000000000000000000000000000000000000000000000000000000"}]}]},{"type":"signature_request","actions":[]}]}');
INSERT INTO sluice_sessions VALUES ('résolu «🙂» it''s', 3, 'ongoing', 'w', 't', 1758542400, 1758542520, '{"format":1,"id":"résolu «🙂» it''s","name":"Onboarding","template_id":"t","workspace_id":"w","version":3,"created_at":"2025-09-22T12:00:00Z","updated_at":"2025-09-22T12:02:00Z","groups":[{"type":"company_verification","actions":[{"attempts":[{"resource":{"id":"x''s","type":"company_verification","status":"failed","created_at":"2025-09-22T12:00:00Z","as_of":"2025-09-22T12:00:00Z"},"inputs_digest":"0100000000000000000000000000000000000000000000000000000000000000"}],"resolution":{"reason":"vu «en personne» 🙂\n","by":"kim@example.com","at":"2025-09-22T12:02:00Z"}}]},{"type":"signature_request","actions":[]}]}');
INSERT INTO sluice_events VALUES ('awaiting', 1, 1758542400, '{"session_id":"awaiting","version":1,"at":"2025-09-22T12:00:00.123456789Z","fact":"created","data":{"name":"Onboarding","template_id":"t","workspace_id":"w","groups":["company_verification","signature_request"]},"session":{"to":"awaiting"}}');
INSERT INTO sluice_events VALUES ('blocked', 1, 1758542400, '{"session_id":"blocked","version":1,"at":"2025-09-22T12:00:00.123456789Z","fact":"created","data":{"name":"Onboarding","template_id":"t","workspace_id":"w","groups":["company_verification","signature_request"]},"session":{"to":"awaiting"}}');
INSERT INTO sluice_events VALUES ('blocked', 2, 1758542460, '{"session_id":"blocked","version":2,"at":"2025-09-22T12:01:00.123456789Z","fact":"linked","data":{"resource":{"id":"blocked.1","type":"company_verification","status":"pending","created_at":"2025-09-22T12:00:00Z","as_of":"2025-09-22T12:00:00Z"},"inputs_digest":"0100000000000000000000000000000000000000000000000000000000000000"},"group":{"type":"company_verification","from":"awaiting","to":"ongoing"},"session":{"from":"awaiting","to":"ongoing"}}');
INSERT INTO sluice_events VALUES ('blocked', 3, 1758542520, '{"session_id":"blocked","version":3,"at":"2025-09-22T12:02:00.123456789Z","fact":"observed","data":{"resource_id":"blocked.1","status":"failed","as_of":"2025-09-22T12:00:01Z"},"group":{"type":"company_verification","from":"ongoing","to":"blocked"},"session":{"from":"ongoing","to":"blocked"}}');
INSERT INTO sluice_events VALUES ('retried', 1, 1758542400, '{"session_id":"retried","version":1,"at":"2025-09-22T12:00:00.123456789Z","fact":"created","data":{"name":"Onboarding","template_id":"t","workspace_id":"w","groups":["company_verification","signature_request"]},"session":{"to":"awaiting"}}');
INSERT INTO sluice_events VALUES ('retried', 2, 1758542460, '{"session_id":"retried","version":2,"at":"2025-09-22T12:01:00.123456789Z","fact":"linked","data":{"resource":{"id":"retried.1","type":"company_verification","status":"failed","created_at":"2025-09-22T12:00:00Z","as_of":"2025-09-22T12:00:00Z"},"inputs_digest":"0100000000000000000000000000000000000000000000000000000000000000"},"group":{"type":"company_verification","from":"awaiting","to":"blocked"},"session":{"from":"awaiting","to":"blocked"}}');
INSERT INTO sluice_events VALUES ('retried', 3, 1758542520, '{"session_id":"retried","version":3,"at":"2025-09-22T12:02:00.123456789Z","fact":"linked","data":{"resource":{"id":"retried.2","type":"company_verification","status":"pending","created_at":"2025-09-22T12:00:00Z","as_of":"2025-09-22T12:00:00Z"},"inputs_digest":"0200000000000000000000000000000000000000000000000000000000000000","previous_attempt_id":"retried.1"},"group":{"type":"company_verification","from":"blocked","to":"ongoing"},"session":{"from":"blocked","to":"ongoing"}}');
INSERT INTO sluice_events VALUES ('résolu «🙂» it''s', 1, 1758542400, '{"session_id":"résolu «🙂» it''s","version":1,"at":"2025-09-22T12:00:00.123456789Z","fact":"created","data":{"name":"Onboarding","template_id":"t","workspace_id":"w","groups":["company_verification","signature_request"]},"session":{"to":"awaiting"}}');
INSERT INTO sluice_events VALUES ('résolu «🙂» it''s', 2, 1758542460, '{"session_id":"résolu «🙂» it''s","version":2,"at":"2025-09-22T12:01:00.123456789Z","fact":"linked","data":{"resource":{"id":"x''s","type":"company_verification","status":"failed","created_at":"2025-09-22T12:00:00Z","as_of":"2025-09-22T12:00:00Z"},"inputs_digest":"0100000000000000000000000000000000000000000000000000000000000000"},"group":{"type":"company_verification","from":"awaiting","to":"blocked"},"session":{"from":"awaiting","to":"blocked"}}');
INSERT INTO sluice_events VALUES ('résolu «🙂» it''s', 3, 1758542520, '{"session_id":"résolu «🙂» it''s","version":3,"at":"2025-09-22T12:02:00.123456789Z","fact":"resolved","data":{"resource_id":"x''s","reason":"vu «en personne» 🙂\n","by":"kim@example.com"},"group":{"type":"company_verification","from":"blocked","to":"done"},"session":{"from":"blocked","to":"ongoing"}}');
INSERT INTO sluice_resources VALUES ('blocked.1', 'blocked');
INSERT INTO sluice_resources VALUES ('retried.1', 'retried');
INSERT INTO sluice_resources VALUES ('retried.2', 'retried');
INSERT INTO sluice_resources VALUES ('x''s', 'résolu «🙂» it''s');
