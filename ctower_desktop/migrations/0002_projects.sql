-- What is being managed: account scopes hold projects, people are assigned to projects.

CREATE TABLE account_scope (
    id         TEXT PRIMARY KEY,
    scope_key  TEXT NOT NULL UNIQUE CHECK (scope_key = lower(trim(scope_key)) AND length(scope_key) BETWEEN 1 AND 200),
    name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 160),
    created_at TEXT NOT NULL
) STRICT;

INSERT INTO account_scope (id, scope_key, name, created_at)
VALUES ('00000000-0000-4000-8000-000000000001', 'default', 'Project account scope',
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));

CREATE TABLE project (
    id               TEXT PRIMARY KEY,
    name             TEXT NOT NULL CHECK (length(name) BETWEEN 2 AND 160 AND name <> '__legacy_scope__'),
    account_scope_id TEXT NOT NULL REFERENCES account_scope (id) ON DELETE CASCADE,
    phase            TEXT NOT NULL DEFAULT 'active'
        CHECK (phase IN ('kickoff', 'active', 'review', 'handoff', 'warranty', 'completed')),
    created_at       TEXT NOT NULL,
    UNIQUE (id, account_scope_id)
) STRICT;

CREATE INDEX project_scope ON project (account_scope_id);
CREATE INDEX project_newest ON project (created_at);

CREATE TABLE project_assignment (
    id          TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    project_id  TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    assigned_at TEXT NOT NULL,
    assigned_by TEXT NOT NULL,
    UNIQUE (user_id, project_id)
) STRICT;

CREATE INDEX project_assignment_project ON project_assignment (project_id);
