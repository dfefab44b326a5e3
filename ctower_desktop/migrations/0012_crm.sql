-- What is being sold: the vendor's companies, people, deals, notes and tasks, and our accounts and opportunities.
-- Ids of the mirror are `kind:{project}:{workspace}:{vendor id}`; `external_id` is the vendor's.

CREATE TABLE company (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    domain TEXT,
    description TEXT,
    annual_revenue REAL,
    stage TEXT,
    url TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX company_of_project ON company (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX company_by_external ON company (project_id, external_id);

CREATE TABLE person (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    account_external_id TEXT,
    full_name TEXT,
    email TEXT,
    phone_number TEXT,
    role TEXT,
    url TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX person_of_project ON person (project_id, full_name) WHERE deleted_at IS NULL;
CREATE INDEX person_of_company ON person (project_id, account_external_id);

CREATE TABLE deal (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    account_external_id TEXT,
    company_name TEXT,
    title TEXT NOT NULL,
    stage TEXT NOT NULL,
    amount REAL,
    currency TEXT,
    probability REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
    expected_close_date TEXT,
    next_step TEXT,
    owner_name TEXT,
    url TEXT,
    haystack TEXT NOT NULL DEFAULT '',  -- what is looked through for words: lower case, ё as е
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX deal_recent ON deal (project_id, updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX deal_of_company ON deal (project_id, account_external_id);

CREATE TABLE note (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    parent_kind TEXT NOT NULL,  -- companies, people, deals or the name of a custom object
    parent_external_id TEXT NOT NULL,
    title TEXT,
    content TEXT NOT NULL,
    author_name TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX note_of_parent ON note (project_id, parent_external_id, created_at) WHERE deleted_at IS NULL;
CREATE INDEX note_recent ON note (project_id, created_at DESC, id) WHERE deleted_at IS NULL;

CREATE TABLE task (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    parent_external_id TEXT,  -- the first linked record
    linked_external_ids TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(linked_external_ids)),
    content TEXT NOT NULL,
    deadline_at TEXT,
    is_completed INTEGER NOT NULL DEFAULT 0 CHECK (is_completed IN (0, 1)),
    completed_at TEXT,
    assignee_name TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX task_recent ON task (project_id, created_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX task_of_parent ON task (project_id, parent_external_id, created_at) WHERE deleted_at IS NULL;

-- Accounts and opportunities are ours: typed here, or mirrored from the vendor's companies and deals
-- (`source_system` 'attio', `external_ref` = the vendor's id). `vendor` holds the vendor's values by field;
-- `local_fields` names those that a person changed here: no sync overwrites them.
-- `updated_at` is when the thing changed, here or at the vendor; `written_at` is when this row did, for who
-- follows changes. Archived or gone at the vendor: `deleted_at`.
CREATE TABLE crm_account (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    name_key TEXT NOT NULL,  -- as names are compared: lower case in every script, ё as е
    domain TEXT,
    external_ref TEXT,
    stage TEXT NOT NULL CHECK (stage IN ('active', 'inactive', 'prospect')),
    owner_user_id TEXT,
    owner_username TEXT,
    evidence_refs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence_refs)),
    source_system TEXT NOT NULL DEFAULT 'manual'
        CHECK (source_system IN ('manual', 'attio', 'linear', 'chatwoot', 'system')),
    vendor TEXT CHECK (json_valid(vendor)),
    local_fields TEXT NOT NULL DEFAULT '[]' CHECK (json_type(local_fields) = 'array'),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    written_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,  -- archived: by a person, else the word of the sync
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL)),
    CHECK (source_system <> 'attio' OR external_ref IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX crm_account_by_ref ON crm_account (project_id, external_ref) WHERE external_ref IS NOT NULL;
CREATE INDEX crm_account_by_name ON crm_account (project_id, name_key);
CREATE INDEX crm_account_recent ON crm_account (project_id, updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX crm_account_archived ON crm_account (project_id, updated_at DESC, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX crm_account_written ON crm_account (project_id, written_at);

CREATE TABLE crm_opportunity (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES crm_account (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    title_key TEXT NOT NULL,  -- as it is looked through: lower case in every script, ё as е
    stage TEXT NOT NULL CHECK (stage IN ('discovery', 'qualified', 'proposal', 'negotiation', 'won', 'lost')),
    stage_changed_at TEXT NOT NULL,  -- of a won or lost one: when it was closed
    amount_estimate REAL NOT NULL DEFAULT 0 CHECK (amount_estimate >= 0),
    currency TEXT,  -- NULL: the vendor does not say
    probability REAL NOT NULL DEFAULT 0.1 CHECK (probability BETWEEN 0 AND 1),
    expected_close_date TEXT CHECK (length(expected_close_date) = 10),  -- YYYY-MM-DD
    next_step TEXT NOT NULL,
    owner_user_id TEXT,
    owner_username TEXT,
    evidence_refs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence_refs)),
    external_ref TEXT,
    source_system TEXT NOT NULL DEFAULT 'manual'
        CHECK (source_system IN ('manual', 'attio', 'linear', 'chatwoot', 'system')),
    vendor TEXT CHECK (json_valid(vendor)),
    local_fields TEXT NOT NULL DEFAULT '[]' CHECK (json_type(local_fields) = 'array'),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    written_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL)),
    CHECK (source_system <> 'attio' OR external_ref IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX crm_opportunity_by_ref
    ON crm_opportunity (project_id, external_ref) WHERE external_ref IS NOT NULL;
CREATE INDEX crm_opportunity_of_account ON crm_opportunity (account_id, updated_at DESC);
CREATE INDEX crm_opportunity_recent ON crm_opportunity (project_id, updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX crm_opportunity_archived
    ON crm_opportunity (project_id, updated_at DESC, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX crm_opportunity_by_stage
    ON crm_opportunity (project_id, stage, updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX crm_opportunity_written ON crm_opportunity (project_id, written_at);

-- Every change of an opportunity's stage, by a person or at the vendor. `request_id` is that of the audit line.
CREATE TABLE crm_stage_event (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    opportunity_id TEXT NOT NULL REFERENCES crm_opportunity (id) ON DELETE CASCADE,
    from_stage TEXT NOT NULL,
    to_stage TEXT NOT NULL,
    reason TEXT,
    source TEXT NOT NULL CHECK (source IN ('manual', 'attio')),
    actor_username TEXT,
    evidence_refs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence_refs)),
    request_id TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX crm_stage_event_of ON crm_stage_event (opportunity_id, id);
CREATE INDEX crm_stage_event_recent ON crm_stage_event (project_id, created_at);
