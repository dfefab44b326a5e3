-- What is being done: teams, people, projects, cycles, states, labels, issues, relations, comments.
-- Ids are `kind:{project}:{workspace}:{vendor id}`; `external_id` is the vendor's.

CREATE TABLE team (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT
) STRICT;
CREATE INDEX team_of_project ON team (project_id, key);

CREATE TABLE member (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT
) STRICT;
CREATE INDEX member_of_project ON member (project_id, name);

CREATE TABLE work_project (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    state TEXT,
    lead_name TEXT,
    progress REAL,
    start_date TEXT,
    target_date TEXT,
    completed_at TEXT,
    url TEXT,
    created_at TEXT,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT
) STRICT;
CREATE INDEX work_project_of_project ON work_project (project_id, name);

CREATE TABLE work_state (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    team_external_id TEXT,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    position REAL NOT NULL DEFAULT 0,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT
) STRICT;
CREATE INDEX work_state_of_project ON work_state (project_id, position);

CREATE TABLE cycle (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    team_external_id TEXT,
    number INTEGER NOT NULL,
    name TEXT,
    starts_at TEXT,
    ends_at TEXT,
    completed_at TEXT,
    progress REAL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT
) STRICT;
CREATE INDEX cycle_of_project ON cycle (project_id, number);

CREATE TABLE issue (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    identifier TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    url TEXT,
    team_external_id TEXT,
    team_name TEXT,
    linear_project_external_id TEXT,
    linear_project_name TEXT,
    parent_external_id TEXT,
    state TEXT,
    state_external_id TEXT,
    state_type TEXT,
    cycle_external_id TEXT,
    cycle_name TEXT,
    labels TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(labels)),
    blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    blocked_by_count INTEGER NOT NULL DEFAULT 0 CHECK (blocked_by_count >= 0),
    priority INTEGER NOT NULL DEFAULT 0,
    estimate REAL,
    assignee_external_id TEXT,
    assignee_name TEXT,
    creator_name TEXT,
    due_date TEXT,
    started_at TEXT,
    completed_at TEXT,
    canceled_at TEXT,
    archived_at TEXT,
    haystack TEXT NOT NULL DEFAULT '',  -- what is looked through for words: lower case, ё as е
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    source TEXT NOT NULL DEFAULT 'linear' CHECK (source IN ('linear', 'local')),  -- local: made and kept here
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX issue_local ON issue (project_id, created_at) WHERE source = 'local';
CREATE INDEX issue_recent ON issue (project_id, updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX issue_by_external ON issue (project_id, external_id);
CREATE INDEX issue_by_identifier ON issue (project_id, identifier);

CREATE TABLE issue_relation (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    type TEXT NOT NULL,
    issue_external_id TEXT NOT NULL,
    related_external_id TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT
) STRICT;
CREATE INDEX issue_relation_from ON issue_relation (project_id, issue_external_id);
CREATE INDEX issue_relation_to ON issue_relation (project_id, related_external_id);

CREATE TABLE comment (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    issue_id TEXT NOT NULL REFERENCES issue (id) ON DELETE CASCADE,
    parent_external_id TEXT,
    author_name TEXT,
    body TEXT NOT NULL,
    url TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX comment_of_issue ON comment (issue_id, created_at);
CREATE INDEX comment_recent ON comment (project_id, created_at DESC, id) WHERE deleted_at IS NULL;
