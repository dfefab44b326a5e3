-- What is read off the event log: state of each project, signals, scores, days, cases, forecasts, recommendations.

CREATE TABLE kag_state (  -- how far the event log was read, and what has to be remembered of it
    project_id       TEXT PRIMARY KEY,
    account_scope_id TEXT NOT NULL,
    last_event_id    INTEGER NOT NULL DEFAULT 0,
    state            TEXT NOT NULL CHECK (json_type(state) = 'object'),
    updated_at       TEXT NOT NULL,
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_state_scope ON kag_state (project_id, account_scope_id);

CREATE TABLE kag_signal (
    id                 INTEGER PRIMARY KEY,
    project_id         TEXT NOT NULL,
    account_scope_id   TEXT NOT NULL,
    signal_key         TEXT NOT NULL,
    value              REAL NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('ok', 'warn', 'critical')),
    threshold_warn     REAL NOT NULL,
    threshold_critical REAL NOT NULL,
    details            TEXT NOT NULL CHECK (json_type(details) = 'object'),
    evidence_refs      TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    computed_at        TEXT NOT NULL,
    updated_at         TEXT NOT NULL,  -- when value or status last changed
    UNIQUE (project_id, signal_key),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_signal_project ON kag_signal (project_id, account_scope_id);

CREATE TABLE kag_score (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    score_type       TEXT NOT NULL
        CHECK (score_type IN ('project_health', 'risk', 'client_value', 'upsell_likelihood')),
    score            REAL NOT NULL CHECK (score BETWEEN 0 AND 100),
    level            TEXT NOT NULL CHECK (level IN ('low', 'medium', 'high', 'critical')),
    weights          TEXT NOT NULL CHECK (json_type(weights) = 'object'),
    thresholds       TEXT NOT NULL CHECK (json_type(thresholds) = 'object'),
    factors          TEXT NOT NULL CHECK (json_type(factors) = 'array'),
    evidence_refs    TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    computed_at      TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    UNIQUE (project_id, score_type),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_score_project ON kag_score (project_id, account_scope_id);

CREATE TABLE kag_recommendation (  -- of the first kind: one for each category, while its cause lasts
    id                     TEXT PRIMARY KEY,
    project_id             TEXT NOT NULL,
    account_scope_id       TEXT NOT NULL,
    category               TEXT NOT NULL CHECK (category IN (
        'waiting_on_client', 'scope_creep_change_request', 'delivery_risk', 'finance_risk',
        'upsell_opportunity')),
    priority               INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 5),
    status                 TEXT NOT NULL DEFAULT 'proposed'
        CHECK (status IN ('proposed', 'accepted', 'dismissed', 'done')),
    title                  TEXT NOT NULL,
    rationale              TEXT NOT NULL,
    suggested_template_key TEXT NOT NULL,
    suggested_template     TEXT NOT NULL,
    evidence_refs          TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    signal_snapshot        TEXT NOT NULL CHECK (json_type(signal_snapshot) = 'object'),
    score_snapshot         TEXT NOT NULL CHECK (json_type(score_snapshot) = 'object'),
    cleared_at             TEXT,  -- when the cause was found gone
    created_at             TEXT NOT NULL,
    updated_at             TEXT NOT NULL,
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_recommendation_top ON kag_recommendation (project_id, priority DESC, updated_at DESC, id);
CREATE UNIQUE INDEX kag_recommendation_open ON kag_recommendation (project_id, category) WHERE cleared_at IS NULL;
CREATE INDEX kag_recommendation_project ON kag_recommendation (project_id, account_scope_id);

CREATE TABLE kag_snapshot (  -- how a day ended
    id                      TEXT PRIMARY KEY,
    project_id              TEXT NOT NULL,
    account_scope_id        TEXT NOT NULL,
    snapshot_date           TEXT NOT NULL CHECK (length(snapshot_date) = 10),
    signals_json            TEXT NOT NULL CHECK (json_type(signals_json) = 'array'),
    normalized_signals_json TEXT NOT NULL CHECK (json_type(normalized_signals_json) = 'object'),
    scores_json             TEXT NOT NULL CHECK (json_type(scores_json) = 'array'),
    key_aggregates_json     TEXT NOT NULL CHECK (json_type(key_aggregates_json) = 'object'),
    evidence_refs           TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    publishable             INTEGER NOT NULL CHECK (publishable IN (0, 1)),
    created_at              TEXT NOT NULL,
    UNIQUE (project_id, snapshot_date),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_snapshot_project ON kag_snapshot (project_id, account_scope_id);

CREATE TABLE kag_outcome (  -- what went wrong, as the days showed
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    outcome_type     TEXT NOT NULL
        CHECK (outcome_type IN ('delivery_risk', 'finance_risk', 'client_risk', 'scope_risk')),
    occurred_at      TEXT NOT NULL,
    severity         INTEGER NOT NULL CHECK (severity BETWEEN 1 AND 5),
    notes            TEXT NOT NULL,
    evidence_refs    TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    source_event_id  INTEGER,
    dedupe_key       TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    UNIQUE (project_id, dedupe_key),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_outcome_recent ON kag_outcome (project_id, occurred_at DESC, id);
CREATE INDEX kag_outcome_project ON kag_outcome (project_id, account_scope_id);

CREATE TABLE kag_signature (  -- what a project looked like over the last days, to be compared with others
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    window_days      INTEGER NOT NULL CHECK (window_days IN (7, 14, 30)),
    signature_hash   TEXT NOT NULL,
    features         TEXT NOT NULL CHECK (json_type(features) = 'array'),
    patterns         TEXT NOT NULL CHECK (json_type(patterns) = 'array'),
    context          TEXT NOT NULL CHECK (json_type(context) = 'object'),
    computed_at      TEXT NOT NULL,
    UNIQUE (project_id, window_days),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_signature_scope ON kag_signature (account_scope_id, window_days, computed_at DESC);
CREATE INDEX kag_signature_project ON kag_signature (project_id, account_scope_id);

CREATE TABLE kag_forecast (
    id                         INTEGER PRIMARY KEY,
    project_id                 TEXT NOT NULL,
    account_scope_id           TEXT NOT NULL,
    risk_type                  TEXT NOT NULL
        CHECK (risk_type IN ('delivery_risk', 'finance_risk', 'client_risk', 'scope_risk')),
    probability_7d             REAL NOT NULL CHECK (probability_7d BETWEEN 0 AND 1),
    probability_14d            REAL NOT NULL CHECK (probability_14d BETWEEN 0 AND 1),
    probability_30d            REAL NOT NULL CHECK (probability_30d BETWEEN 0 AND 1),
    expected_time_to_risk_days REAL NOT NULL,
    confidence                 REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    top_drivers                TEXT NOT NULL CHECK (json_type(top_drivers) = 'array'),
    similar_cases              TEXT NOT NULL CHECK (json_type(similar_cases) = 'array'),
    evidence_refs              TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    publishable                INTEGER NOT NULL CHECK (publishable IN (0, 1)),
    generated_at               TEXT NOT NULL,
    updated_at                 TEXT NOT NULL,
    UNIQUE (project_id, risk_type),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_forecast_project ON kag_forecast (project_id, account_scope_id);

-- Recommendations with a life of their own. One open story (`ended_at` NULL) for each category; a new one begins
-- only after the cause was gone.
CREATE TABLE kag_recommendation_v2 (
    id                     TEXT PRIMARY KEY,
    project_id             TEXT NOT NULL,
    account_scope_id       TEXT NOT NULL,
    category               TEXT NOT NULL CHECK (category IN (
        'waiting_on_client', 'scope_creep_change_request', 'delivery_risk', 'finance_risk',
        'upsell_opportunity', 'winback')),
    priority               INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 5),
    due_date               TEXT NOT NULL CHECK (length(due_date) = 10),
    owner_role             TEXT NOT NULL,
    status                 TEXT NOT NULL DEFAULT 'new'
        CHECK (status IN ('new', 'acknowledged', 'done', 'dismissed')),
    title                  TEXT NOT NULL,
    rationale              TEXT NOT NULL,
    why_now                TEXT NOT NULL,
    expected_impact        TEXT NOT NULL,
    evidence_refs          TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    links                  TEXT NOT NULL CHECK (json_type(links) = 'array'),
    suggested_template_key TEXT NOT NULL,
    suggested_template     TEXT NOT NULL,
    helpful_feedback       TEXT NOT NULL DEFAULT 'unknown'
        CHECK (helpful_feedback IN ('helpful', 'not_helpful', 'unknown')),
    feedback_note          TEXT CHECK (length(feedback_note) <= 2000),
    signal_snapshot        TEXT NOT NULL CHECK (json_type(signal_snapshot) = 'object'),
    forecast_snapshot      TEXT NOT NULL CHECK (json_type(forecast_snapshot) = 'object'),
    evidence_count         INTEGER NOT NULL CHECK (evidence_count >= 0),
    evidence_quality_score REAL NOT NULL CHECK (evidence_quality_score BETWEEN 0 AND 1),
    evidence_gate_status   TEXT NOT NULL CHECK (evidence_gate_status IN ('visible', 'hidden')),
    evidence_gate_reason   TEXT,
    first_shown_at         TEXT,
    last_shown_at          TEXT,
    shown_count            INTEGER NOT NULL DEFAULT 0 CHECK (shown_count >= 0),
    acknowledged_at        TEXT,
    dismissed_at           TEXT,
    completed_at           TEXT,
    ended_at               TEXT,
    created_at             TEXT NOT NULL,
    updated_at             TEXT NOT NULL,
    CHECK ((evidence_gate_status = 'hidden') = (evidence_gate_reason IS NOT NULL)),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX kag_recommendation_v2_open ON kag_recommendation_v2 (project_id, category) WHERE ended_at IS NULL;
CREATE INDEX kag_recommendation_v2_top ON kag_recommendation_v2 (project_id, priority DESC, updated_at DESC, id);
CREATE INDEX kag_recommendation_v2_category ON kag_recommendation_v2 (project_id, category, created_at DESC);
CREATE INDEX kag_recommendation_v2_project ON kag_recommendation_v2 (project_id, account_scope_id);

CREATE TABLE kag_action_run (  -- what was done about a recommendation
    id                TEXT PRIMARY KEY,
    project_id        TEXT NOT NULL,
    account_scope_id  TEXT NOT NULL,
    recommendation_id TEXT NOT NULL REFERENCES kag_recommendation_v2 (id) ON DELETE CASCADE,
    action_type       TEXT NOT NULL CHECK (action_type IN ('create_or_update_task', 'send_message', 'set_reminder')),
    status            TEXT NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'failed')),
    action_payload    TEXT NOT NULL CHECK (json_type(action_payload) = 'object'),
    result            TEXT NOT NULL DEFAULT '{}' CHECK (json_type(result) = 'object'),
    dedupe_key        TEXT NOT NULL,
    correlation_id    TEXT NOT NULL,
    attempts          INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_retries       INTEGER NOT NULL CHECK (max_retries BETWEEN 0 AND 10),
    next_retry_at     TEXT,
    error             TEXT CHECK (length(error) <= 2000),
    created_by        TEXT NOT NULL,
    created_at        TEXT NOT NULL,
    updated_at        TEXT NOT NULL,
    finished_at       TEXT,
    UNIQUE (recommendation_id, dedupe_key),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_action_run_recent ON kag_action_run (recommendation_id, created_at DESC);
CREATE INDEX kag_action_run_due ON kag_action_run (project_id, next_retry_at) WHERE status = 'failed';
CREATE INDEX kag_action_run_open ON kag_action_run (project_id, updated_at) WHERE status = 'running';
CREATE INDEX kag_action_run_project ON kag_action_run (project_id, account_scope_id);

CREATE TABLE kag_reminder (  -- a recommendation that is to be brought up again and again until it is settled
    recommendation_id TEXT PRIMARY KEY REFERENCES kag_recommendation_v2 (id) ON DELETE CASCADE,
    project_id        TEXT NOT NULL,
    account_scope_id  TEXT NOT NULL,
    every_seconds     INTEGER NOT NULL CHECK (every_seconds BETWEEN 300 AND 604800),
    note              TEXT CHECK (length(note) <= 2000),
    next_at           TEXT NOT NULL,
    reminded_at       TEXT,  -- NULL: not yet
    reminded_count    INTEGER NOT NULL DEFAULT 0,
    created_at        TEXT NOT NULL,
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kag_reminder_due ON kag_reminder (project_id, next_at);
CREATE INDEX kag_reminder_project ON kag_reminder (project_id, account_scope_id);

-- The event log is read in the order in which it was written, and listed by kind.
CREATE INDEX connector_event_order ON connector_event (project_id, id);
CREATE INDEX connector_event_kind ON connector_event (project_id, event_type, occurred_at DESC);
CREATE INDEX connector_event_source ON connector_event (project_id, source, occurred_at DESC);
CREATE INDEX issue_blocked ON issue (project_id, updated_at)
    WHERE blocked = 1 AND deleted_at IS NULL AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL;
