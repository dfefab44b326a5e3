-- Which contact, company and delivery project are the same client: what is suggested, and what somebody decided.

CREATE TABLE identity_suggestion (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    left_entity_type TEXT NOT NULL CHECK (left_entity_type IN ('cw_contact', 'attio_account')),
    left_entity_id TEXT NOT NULL,
    right_entity_type TEXT NOT NULL CHECK (right_entity_type IN ('attio_account', 'attio_person', 'linear_project')),
    right_entity_id TEXT NOT NULL,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    reason TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'proposed' CHECK (status IN ('proposed', 'applied', 'dismissed')),
    evidence_refs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence_refs)),
    meta TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(meta)),
    dedupe_key TEXT NOT NULL,
    evidence_key TEXT NOT NULL,  -- what speaks for it: a dismissed pair is raised again only when this changes
    decided_by TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (project_id, dedupe_key),
    CHECK ((left_entity_type = 'attio_account') = (right_entity_type = 'linear_project'))
) STRICT;
CREATE INDEX identity_suggestion_by_status
    ON identity_suggestion (project_id, status, confidence DESC, updated_at DESC, id);
CREATE INDEX identity_suggestion_best ON identity_suggestion (project_id, confidence DESC, updated_at DESC, id);

CREATE TABLE identity_link (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    left_entity_type TEXT NOT NULL CHECK (left_entity_type IN ('cw_contact', 'attio_account')),
    left_entity_id TEXT NOT NULL,
    right_entity_type TEXT NOT NULL CHECK (right_entity_type IN ('attio_account', 'attio_person', 'linear_project')),
    right_entity_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
    source TEXT NOT NULL CHECK (source IN ('manual', 'suggestion', 'system')),
    evidence_refs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence_refs)),
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (project_id, left_entity_type, left_entity_id, right_entity_type, right_entity_id),
    CHECK ((left_entity_type = 'attio_account') = (right_entity_type = 'linear_project'))
) STRICT;
CREATE INDEX identity_link_recent ON identity_link (project_id, created_at DESC, id);
CREATE INDEX identity_link_by_status ON identity_link (project_id, status, created_at DESC, id);
CREATE INDEX identity_link_right
    ON identity_link (project_id, right_entity_type, right_entity_id) WHERE status = 'active';
