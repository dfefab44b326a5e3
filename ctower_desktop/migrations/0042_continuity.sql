-- From what was sold or promised to the work that delivers it: proposed tasks, and the issues made of them.

CREATE TABLE continuity_action (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    source_type TEXT NOT NULL CHECK (source_type IN ('attio', 'chatwoot', 'manual')),
    source_ref TEXT NOT NULL,
    title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    description TEXT NOT NULL DEFAULT '',
    due_date TEXT,
    preview_payload TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(preview_payload)),
    status TEXT NOT NULL DEFAULT 'previewed' CHECK (status IN ('previewed', 'applied', 'dismissed', 'failed')),
    target TEXT CHECK (target IN ('linear', 'local')),
    linear_issue_external_id TEXT,  -- written before Linear is asked, so that asking twice makes one issue
    issue_identifier TEXT,
    issue_url TEXT,
    error TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    evidence_refs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence_refs)),
    dedupe_key TEXT NOT NULL,
    created_by TEXT NOT NULL,
    applied_by TEXT,
    applied_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (project_id, dedupe_key),
    CHECK (status <> 'applied' OR linear_issue_external_id IS NOT NULL),
    CHECK ((status = 'failed') = (error IS NOT NULL))
) STRICT;
CREATE INDEX continuity_action_recent ON continuity_action (project_id, updated_at DESC, id);
CREATE INDEX continuity_action_by_status ON continuity_action (project_id, status, updated_at DESC, id);
CREATE INDEX continuity_action_of_source ON continuity_action (project_id, source_type, source_ref);
