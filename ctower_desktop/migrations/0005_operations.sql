-- What runs by itself: when each job is due in each project, every run of the scheduler, every run asked for by hand.

CREATE TABLE scheduled_job (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    job_type         TEXT NOT NULL CHECK (job_type <> ''),
    status           TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'running', 'paused', 'suspended')),
    cadence_seconds  INTEGER NOT NULL CHECK (cadence_seconds > 0),
    next_run_at      TEXT NOT NULL,
    last_run_at      TEXT,
    last_status      TEXT CHECK (last_status IN ('ok', 'failed')),
    last_error       TEXT CHECK (length(last_error) <= 1000),
    payload          TEXT NOT NULL DEFAULT '{}' CHECK (json_type(payload) = 'object'),
    started_at       TEXT,
    lease_owner      TEXT,
    lease_until      TEXT,
    pause_after      INTEGER NOT NULL DEFAULT 0 CHECK (pause_after IN (0, 1)),
    UNIQUE (project_id, job_type),
    CHECK ((status = 'running') = (lease_owner IS NOT NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX scheduled_job_due ON scheduled_job (project_id, status, next_run_at);
CREATE INDEX scheduled_job_status ON scheduled_job (status);

CREATE TABLE worker_run (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    scheduled_job_id TEXT NOT NULL REFERENCES scheduled_job (id) ON DELETE CASCADE,
    job_type         TEXT NOT NULL,
    source           TEXT NOT NULL CHECK (source IN ('worker', 'tick', 'manual')),
    slot             TEXT NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('running', 'ok', 'failed', 'stopped')),
    started_at       TEXT NOT NULL,
    finished_at      TEXT,
    duration_ms      INTEGER CHECK (duration_ms >= 0),
    details          TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(details)),
    error            TEXT CHECK (length(error) <= 2000),
    CHECK ((status = 'running') = (finished_at IS NULL)),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX worker_run_job ON worker_run (scheduled_job_id, id);
CREATE INDEX worker_run_type ON worker_run (project_id, job_type, id);
-- Holds all that statistics of runs look at: the runs themselves are not read for them.
CREATE INDEX worker_run_age ON worker_run (project_id, started_at, job_type, status, duration_ms);

CREATE TABLE job_run (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    job_name         TEXT NOT NULL CHECK (job_name <> ''),
    status           TEXT NOT NULL CHECK (status IN ('running', 'ok', 'failed')),
    started_at       TEXT NOT NULL,
    finished_at      TEXT,
    processed_count  INTEGER NOT NULL DEFAULT 0 CHECK (processed_count >= 0),
    error            TEXT CHECK (length(error) <= 2000),
    meta             TEXT NOT NULL DEFAULT '{}' CHECK (json_type(meta) = 'object'),
    CHECK ((status = 'running') = (finished_at IS NULL)),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX job_run_name ON job_run (project_id, job_name, id);
CREATE INDEX job_run_age ON job_run (project_id, started_at);

-- What the tower noticed about itself. A rule fires once for a subject until it is resolved.
CREATE TABLE alert (
    id              INTEGER PRIMARY KEY,
    project_id      TEXT REFERENCES project (id) ON DELETE CASCADE,
    rule            TEXT NOT NULL CHECK (rule <> ''),
    subject         TEXT NOT NULL,
    severity        TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    state           TEXT NOT NULL CHECK (state IN ('firing', 'resolved')),
    value           REAL NOT NULL,
    threshold       REAL NOT NULL,
    message         TEXT NOT NULL CHECK (length(message) <= 1000),
    started_at      TEXT NOT NULL,
    updated_at      TEXT NOT NULL,
    resolved_at     TEXT,
    acknowledged_at TEXT,
    acknowledged_by TEXT,
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
) STRICT;

CREATE UNIQUE INDEX alert_firing ON alert (rule, subject, coalesce(project_id, '')) WHERE state = 'firing';
CREATE INDEX alert_order ON alert (state, id);
CREATE INDEX alert_project ON alert (project_id, state, id);
CREATE INDEX alert_age ON alert (resolved_at) WHERE state = 'resolved';
