-- +goose Up

-- One row for each session: the snapshot, and what lists ask for. Times are Unix
-- seconds. Texts are compared byte by byte, as SQLite does unless it is told
-- otherwise.
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

-- Lists are in the order of creation, whatever they ask for.
CREATE INDEX sluice_sessions_created ON sluice_sessions (created_at, id);
CREATE INDEX sluice_sessions_status ON sluice_sessions (status, created_at, id);
CREATE INDEX sluice_sessions_workspace ON sluice_sessions (workspace_id, created_at, id);
CREATE INDEX sluice_sessions_template ON sluice_sessions (template_id, created_at, id);
-- What was updated since some time is sorted out of this index alone.
CREATE INDEX sluice_sessions_updated
    ON sluice_sessions (updated_at, created_at, id, status, workspace_id, template_id);

-- Rows are only ever added. Those of a session lie together.
CREATE TABLE sluice_events (
    session_id TEXT    NOT NULL REFERENCES sluice_sessions (id),
    version    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    PRIMARY KEY (session_id, version)
) STRICT, WITHOUT ROWID;

-- A resource stands in one session (ATT-12).
CREATE TABLE sluice_resources (
    id         TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sluice_sessions (id)
) STRICT, WITHOUT ROWID;
