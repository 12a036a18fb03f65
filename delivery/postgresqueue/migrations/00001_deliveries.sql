-- +goose Up

-- Times are microseconds since 1970. Documents are the JSON of package
-- webhookpolicy, to the byte. Ids are compared byte by byte, whatever the order of
-- the database.

-- How often the subscriptions have changed: each change takes the next number, so
-- that a reader learns what is new by asking for what is behind the last one.
CREATE TABLE sluice_revision (
    single   bigint NOT NULL PRIMARY KEY CHECK (single = 1),
    revision bigint NOT NULL
);
INSERT INTO sluice_revision (single, revision) VALUES (1, 0);

-- One that was deleted keeps its row, without endpoint and document: its id is
-- never used again.
CREATE TABLE sluice_subscriptions (
    id       text COLLATE "C" NOT NULL PRIMARY KEY,
    revision bigint           NOT NULL,
    endpoint text COLLATE "C",
    document text
);
CREATE UNIQUE INDEX sluice_subscriptions_revision ON sluice_subscriptions (revision);

-- The health of endpoints that were called again after a failure.
CREATE TABLE sluice_endpoints (
    endpoint  text COLLATE "C" NOT NULL PRIMARY KEY,
    condition text COLLATE "C" NOT NULL,
    changed   bigint           NOT NULL,
    document  text             NOT NULL
);
CREATE INDEX sluice_endpoints_condition ON sluice_endpoints (condition, endpoint);

-- queued says that there is a job for the next call: what is parked has none until
-- it is released, or probes. ended is NULL before the end.
CREATE TABLE sluice_deliveries (
    event_id        text COLLATE "C" NOT NULL PRIMARY KEY,
    subscription_id text COLLATE "C" NOT NULL,
    event_name      text COLLATE "C" NOT NULL,
    endpoint        text COLLATE "C" NOT NULL,
    epoch           bigint           NOT NULL,
    number          bigint           NOT NULL,
    state           text COLLATE "C" NOT NULL,
    queued          boolean          NOT NULL,
    created         bigint           NOT NULL,
    due             bigint,
    ended           bigint,
    document        text             NOT NULL,
    body            text             NOT NULL
);
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
    event_id text COLLATE "C" NOT NULL,
    epoch    bigint           NOT NULL,
    number   bigint           NOT NULL,
    attempt  bigint           NOT NULL,
    began    bigint           NOT NULL,
    ended    bigint,
    probe    boolean          NOT NULL,
    endpoint text COLLATE "C" NOT NULL,
    record   text,
    PRIMARY KEY (event_id, epoch, number, attempt)
);
