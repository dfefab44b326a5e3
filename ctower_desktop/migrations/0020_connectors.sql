-- Where it comes from: connections, what the vendors have, how far it was read, what went wrong.

CREATE TABLE connection (  -- the one account each connector is connected to
    connector TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    origin TEXT NOT NULL,
    facts TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(facts)),
    run INTEGER NOT NULL DEFAULT 0,
    pulled_at TEXT,
    reconciled_at TEXT
) STRICT;

CREATE TABLE source_binding (  -- which part of an account feeds which project
    id INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    unit_kind TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (connector, unit_kind, unit_id, project_id)
) STRICT;
CREATE INDEX source_binding_of_project ON source_binding (project_id, connector);

CREATE TABLE remote_row (  -- every row of every stream as the vendor sent it
    id INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    account TEXT NOT NULL,
    stream TEXT NOT NULL,
    external_id TEXT NOT NULL,
    parent_id TEXT,
    units TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(units)),
    version TEXT NOT NULL DEFAULT '',
    content_hash TEXT NOT NULL,
    body TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    changed_run INTEGER NOT NULL,
    covered_version TEXT,   -- up to which version the rows below this one were read
    swept_at TEXT,          -- when all rows below this one were last compared
    absent_since TEXT,      -- first missing from a complete enumeration, not yet confirmed
    deleted_at TEXT,
    deleted_reason TEXT,
    UNIQUE (connector, account, stream, external_id),
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX remote_row_parent ON remote_row (connector, account, stream, parent_id);
CREATE INDEX remote_row_due ON remote_row (connector, account, stream, swept_at)
    WHERE deleted_at IS NULL AND (covered_version IS NULL OR covered_version <> version);

CREATE TABLE stream_state (  -- how far each stream was read
    id INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    account TEXT NOT NULL,
    stream TEXT NOT NULL,
    watermark TEXT,         -- everything up to here is in the database; the vendor's clock
    resume TEXT CHECK (resume IS NULL OR json_valid(resume)),  -- where an unfinished walk stands
    remote_count INTEGER,   -- how many the vendor said it has, at the last complete enumeration
    held_deletes INTEGER NOT NULL DEFAULT 0,  -- vanished rows that wait for somebody's word
    walked_at TEXT,
    UNIQUE (connector, account, stream)
) STRICT;

CREATE TABLE projection_due (  -- a project whose rows must be derived anew, and how far that is
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    connector TEXT NOT NULL,
    after_id INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project_id, connector)
) STRICT;

CREATE TABLE quarantined_row (  -- rows we could not understand; nothing else is held up by them
    id INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    account TEXT NOT NULL,
    stream TEXT NOT NULL,
    external_id TEXT NOT NULL,
    parent_id TEXT,
    reason TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    body TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resolved')),
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    UNIQUE (connector, account, stream, external_id)
) STRICT;
CREATE INDEX quarantined_row_open ON quarantined_row (connector, last_seen_at DESC) WHERE status = 'open';

CREATE TABLE connector_sync_state (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    connector TEXT NOT NULL,
    mode TEXT NOT NULL DEFAULT 'http' CHECK (mode IN ('http', 'mcp')),
    status TEXT NOT NULL CHECK (status IN ('idle', 'running', 'ok', 'partial', 'failed')),
    cursor_ts TEXT,
    cursor_id TEXT,
    page_cursor TEXT,
    last_success_at TEXT,
    last_attempt_at TEXT,
    retry_count INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    meta TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(meta)),
    updated_at TEXT NOT NULL,
    UNIQUE (project_id, connector)
) STRICT;

CREATE TABLE sync_watermark (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    source TEXT NOT NULL,
    cursor_ts TEXT,
    cursor_id TEXT,
    meta TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(meta)),
    updated_at TEXT NOT NULL,
    UNIQUE (project_id, source)
) STRICT;
CREATE INDEX sync_watermark_recent ON sync_watermark (project_id, updated_at DESC);

CREATE TABLE connector_error (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    connector TEXT NOT NULL,
    mode TEXT NOT NULL,
    operation TEXT NOT NULL,
    source_ref TEXT NOT NULL,
    error_kind TEXT NOT NULL,
    error_message TEXT NOT NULL CHECK (length(error_message) <= 4000),
    payload_json TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload_json)),
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    next_retry_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'retrying', 'dead_letter', 'resolved')),
    dedupe_key TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    resolved_at TEXT
) STRICT;
CREATE UNIQUE INDEX connector_error_open ON connector_error (project_id, connector, dedupe_key)
    WHERE status IN ('pending', 'retrying');
CREATE INDEX connector_error_recent ON connector_error (project_id, updated_at DESC, id DESC);
CREATE INDEX connector_error_dead ON connector_error (project_id, connector) WHERE status = 'dead_letter';
CREATE INDEX connector_error_resolved ON connector_error (project_id, resolved_at) WHERE status = 'resolved';
CREATE INDEX connector_error_due ON connector_error (project_id, next_retry_at)
    WHERE status IN ('pending', 'retrying');

CREATE TABLE connector_event (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    event_type TEXT NOT NULL CHECK (event_type IN (
        'message_sent', 'approval_requested', 'approval_approved', 'scope_change_detected',
        'client_silent_started', 'issue_created', 'issue_blocked', 'issue_unblocked', 'deal_stage_changed',
        'note_logged', 'invoice_sent', 'invoice_paid', 'activity_logged', 'stage_started', 'stage_completed',
        'process_started', 'process_finished', 'process_failed', 'process_warning')),
    occurred_at TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (actor IN ('client', 'team', 'system')),
    source TEXT NOT NULL CHECK (source IN ('chatwoot', 'linear', 'attio', 'loops', 'system')),
    source_ref TEXT NOT NULL,
    source_url TEXT,
    source_message_id TEXT,
    source_linear_issue_id TEXT,
    source_attio_record_id TEXT,
    payload_json TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload_json)),
    dedupe_key TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (project_id, dedupe_key)
) STRICT;
CREATE INDEX connector_event_recent ON connector_event (project_id, occurred_at DESC);
CREATE INDEX connector_event_process ON connector_event (project_id, occurred_at)
    WHERE event_type IN ('process_started', 'process_finished', 'process_failed', 'process_warning');

CREATE TABLE reconciliation_metric (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    connector TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('manual', 'sync_cycle', 'daily_job', 'scheduler')),
    completeness_pct REAL NOT NULL CHECK (completeness_pct BETWEEN 0 AND 100),
    duplicate_count INTEGER NOT NULL,
    missing_count INTEGER NOT NULL,
    total_count INTEGER NOT NULL,
    payload TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload)),
    captured_at TEXT NOT NULL
) STRICT;
CREATE INDEX reconciliation_metric_recent ON reconciliation_metric (project_id, connector, captured_at DESC, id DESC);
CREATE INDEX reconciliation_metric_trend ON reconciliation_metric (project_id, captured_at);

CREATE TABLE loops_contact (  -- what was pushed to Loops last, for each address
    id INTEGER PRIMARY KEY,
    account_scope_id TEXT NOT NULL,
    email TEXT NOT NULL,
    payload_hash TEXT,
    loops_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('pushed', 'opted_out', 'suppressed', 'failed')),
    last_error TEXT,
    pushed_at TEXT,
    checked_at TEXT,
    UNIQUE (account_scope_id, email)
) STRICT;
