-- What may go wrong: how healthy a project is, its risks one per cause, and patterns with what helps against them.

-- One line a day: the newest score, and what the day's mean is made of.
CREATE TABLE health_score (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    day              TEXT NOT NULL CHECK (length(day) = 10),
    score            REAL NOT NULL CHECK (score BETWEEN 0 AND 100),
    factors          TEXT NOT NULL CHECK (json_type(factors) = 'array'),
    score_sum        REAL NOT NULL,
    samples          INTEGER NOT NULL CHECK (samples > 0),
    generated_at     TEXT NOT NULL,
    UNIQUE (project_id, day),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

-- `dedupe_key` names the cause (or the item itself when a person wrote it down). `gone_at` says since when the
-- cause is away, so that a risk somebody closed opens again only when its cause has been away or has grown.
CREATE TABLE risk_item (
    id                TEXT PRIMARY KEY,
    project_id        TEXT NOT NULL,
    account_scope_id  TEXT NOT NULL,
    source            TEXT NOT NULL CHECK (source IN ('cause', 'manual')),
    dedupe_key        TEXT NOT NULL CHECK (dedupe_key <> ''),
    title             TEXT NOT NULL CHECK (title <> ''),
    severity          INTEGER NOT NULL CHECK (severity BETWEEN 1 AND 5),
    probability       REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
    mitigation_action TEXT,
    owner_username    TEXT,
    status            TEXT NOT NULL CHECK (status IN ('open', 'mitigating', 'closed')),
    evidence_refs     TEXT NOT NULL DEFAULT '[]' CHECK (json_type(evidence_refs) = 'array'),
    closed_by         TEXT CHECK (closed_by IN ('user', 'system')),
    closed_severity   INTEGER CHECK (closed_severity BETWEEN 1 AND 5),
    closed_at         TEXT,
    gone_at           TEXT,
    reopened_count    INTEGER NOT NULL DEFAULT 0 CHECK (reopened_count >= 0),
    opened_at         TEXT NOT NULL,
    created_by        TEXT NOT NULL,
    created_at        TEXT NOT NULL,
    updated_at        TEXT NOT NULL,
    UNIQUE (project_id, dedupe_key),
    CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL)),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX risk_item_worst ON risk_item (project_id, severity DESC, updated_at DESC, id);
CREATE INDEX risk_item_live ON risk_item (project_id, severity DESC, updated_at DESC, id) WHERE status <> 'closed';
CREATE INDEX risk_item_opened ON risk_item (project_id, opened_at);

CREATE TABLE risk_pattern (
    id                  TEXT PRIMARY KEY,
    project_id          TEXT NOT NULL,
    account_scope_id    TEXT NOT NULL,
    pattern_key         TEXT NOT NULL CHECK (pattern_key <> ''),
    title               TEXT NOT NULL,
    weight              REAL NOT NULL CHECK (weight BETWEEN 0 AND 1),
    status              TEXT NOT NULL CHECK (status IN ('open', 'mitigated', 'ignored')),
    mitigation_playbook TEXT NOT NULL CHECK (json_type(mitigation_playbook) = 'object'),
    evidence_refs       TEXT NOT NULL DEFAULT '[]' CHECK (json_type(evidence_refs) = 'array'),
    created_at          TEXT NOT NULL,
    updated_at          TEXT NOT NULL,
    UNIQUE (project_id, pattern_key),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
