-- +goose Up

-- Times are microseconds since 1970. Documents are the JSON of package
-- webhookpolicy.

-- How often the subscriptions have changed: each change takes the next number, so
-- that a reader learns what is new by asking for what is behind the last one.
CREATE TABLE sluice_revision (
    single   INTEGER NOT NULL PRIMARY KEY CHECK (single = 1),
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO sluice_revision (single, revision) VALUES (1, 0);

-- One that was deleted keeps its row, without endpoint and document: its id is
-- never used again.
CREATE TABLE sluice_subscriptions (
    id       TEXT    NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    endpoint TEXT,
    document TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sluice_subscriptions_revision ON sluice_subscriptions (revision);

-- The health of endpoints that were called again after a failure.
CREATE TABLE sluice_endpoints (
    endpoint  TEXT    NOT NULL PRIMARY KEY,
    condition TEXT    NOT NULL,
    changed   INTEGER NOT NULL,
    document  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sluice_endpoints_condition ON sluice_endpoints (condition, endpoint);

-- queued says that there is a job for the next call: what is parked has none until
-- it is released, or probes. ended is NULL before the end.
CREATE TABLE sluice_deliveries (
    event_id        TEXT    NOT NULL PRIMARY KEY,
    subscription_id TEXT    NOT NULL,
    event_name      TEXT    NOT NULL,
    endpoint        TEXT    NOT NULL,
    epoch           INTEGER NOT NULL,
    number          INTEGER NOT NULL,
    state           TEXT    NOT NULL,
    queued          INTEGER NOT NULL,
    created         INTEGER NOT NULL,
    due             INTEGER,
    ended           INTEGER,
    document        TEXT    NOT NULL,
    body            TEXT    NOT NULL
) STRICT;
CREATE INDEX sluice_deliveries_created ON sluice_deliveries (created, event_id);
CREATE INDEX sluice_deliveries_subscription ON sluice_deliveries (subscription_id, created, event_id);
CREATE INDEX sluice_deliveries_endpoint ON sluice_deliveries (endpoint, created, event_id);
CREATE INDEX sluice_deliveries_due ON sluice_deliveries (due) WHERE queued AND ended IS NULL;
CREATE INDEX sluice_deliveries_parked ON sluice_deliveries (endpoint, created, event_id)
    WHERE state = 'parked' AND NOT queued;
CREATE INDEX sluice_deliveries_exhausted ON sluice_deliveries (created, event_id) WHERE state = 'exhausted';
CREATE INDEX sluice_deliveries_ended ON sluice_deliveries (ended) WHERE ended IS NOT NULL;

-- Every call. Without an end it is under way, or its process died.
CREATE TABLE sluice_calls (
    event_id TEXT    NOT NULL,
    epoch    INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    began    INTEGER NOT NULL,
    ended    INTEGER,
    probe    INTEGER NOT NULL,
    endpoint TEXT    NOT NULL,
    record   TEXT,
    PRIMARY KEY (event_id, epoch, number, attempt)
) STRICT, WITHOUT ROWID;
