-- +goose Up

-- One row for each session: the snapshot, and what lists ask for. Times are Unix
-- seconds. Ids are compared byte by byte, whatever the order of the database.
CREATE TABLE sluice_sessions (
    id           text COLLATE "C" NOT NULL PRIMARY KEY,
    version      bigint           NOT NULL,
    status       text COLLATE "C" NOT NULL,
    workspace_id text COLLATE "C" NOT NULL,
    template_id  text COLLATE "C" NOT NULL,
    created_at   bigint           NOT NULL,
    updated_at   bigint           NOT NULL,
    snapshot     json             NOT NULL
);

-- Lists are in the order of creation, whatever they ask for.
CREATE INDEX sluice_sessions_created ON sluice_sessions (created_at, id);
CREATE INDEX sluice_sessions_status ON sluice_sessions (status, created_at, id);
CREATE INDEX sluice_sessions_workspace ON sluice_sessions (workspace_id, created_at, id);
CREATE INDEX sluice_sessions_template ON sluice_sessions (template_id, created_at, id);
-- What was updated since some time is sorted out of this index alone.
CREATE INDEX sluice_sessions_updated
    ON sluice_sessions (updated_at, created_at, id, status, workspace_id, template_id);

-- Rows are only ever added.
CREATE TABLE sluice_events (
    session_id text COLLATE "C" NOT NULL REFERENCES sluice_sessions (id),
    version    bigint           NOT NULL,
    at         bigint           NOT NULL,
    event      json             NOT NULL,
    PRIMARY KEY (session_id, version)
);

-- A resource stands in one session (ATT-12).
CREATE TABLE sluice_resources (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    session_id text COLLATE "C" NOT NULL REFERENCES sluice_sessions (id)
);
