-- Who may come in, what they did, and what they pointed at: users, sessions, API keys, audit trail, evidence.
-- A foreign key on (project_id, account_scope_id) refuses a row whose scope is not its project's.

CREATE TABLE app_user (
    id            TEXT PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE CHECK (username = lower(trim(username)) AND length(username) BETWEEN 1 AND 200),
    password_hash TEXT NOT NULL CHECK (password_hash LIKE '$%'),
    role          TEXT NOT NULL DEFAULT 'pm' CHECK (role IN ('owner', 'pm', 'delivery_lead', 'executor', 'viewer')),
    email         TEXT UNIQUE CHECK (email = lower(trim(email)) AND email <> ''),
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL
) STRICT;

CREATE INDEX app_user_oldest ON app_user (created_at);

-- `id` is the SHA-256 of what the browser holds: a stolen copy of this file opens no session.
-- `stamp` ties the session to the password it was opened with.
CREATE TABLE session (
    id                TEXT PRIMARY KEY CHECK (length(id) = 64),
    user_id           TEXT REFERENCES app_user (id) ON DELETE CASCADE,
    username          TEXT NOT NULL,
    stamp             TEXT NOT NULL CHECK (length(stamp) = 64),
    active_project_id TEXT REFERENCES project (id) ON DELETE SET NULL,
    address           TEXT NOT NULL DEFAULT '' CHECK (length(address) <= 100),
    agent             TEXT NOT NULL DEFAULT '' CHECK (length(agent) <= 300),
    created_at        TEXT NOT NULL,
    last_seen_at      TEXT NOT NULL
) STRICT;

CREATE INDEX session_user ON session (user_id, username);
CREATE INDEX session_project ON session (active_project_id);
CREATE INDEX session_seen ON session (last_seen_at);

CREATE TABLE api_key (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL REFERENCES account_scope (id) ON DELETE CASCADE,
    key_hash         TEXT NOT NULL UNIQUE CHECK (length(key_hash) = 64),
    key_prefix       TEXT NOT NULL CHECK (length(key_prefix) = 11),
    name             TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    scopes           TEXT NOT NULL CHECK (json_type(scopes) = 'array' AND scopes <> '[]'),
    expires_at       TEXT,
    last_used_at     TEXT,
    created_at       TEXT NOT NULL,
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX api_key_project ON api_key (project_id, account_scope_id, created_at);
CREATE INDEX api_key_scope ON api_key (account_scope_id);

CREATE TABLE idempotency_key (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL REFERENCES account_scope (id) ON DELETE CASCADE,
    key              TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
    route            TEXT NOT NULL,
    body_hash        TEXT NOT NULL CHECK (length(body_hash) = 64),
    status           INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
    response         BLOB NOT NULL,
    expires_at       TEXT NOT NULL,
    UNIQUE (project_id, key),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX idempotency_key_age ON idempotency_key (expires_at);
CREATE INDEX idempotency_key_project ON idempotency_key (project_id, account_scope_id);
CREATE INDEX idempotency_key_scope ON idempotency_key (account_scope_id);

-- Signing in belongs to no project; everything else does.
CREATE TABLE audit_event (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT,
    account_scope_id TEXT REFERENCES account_scope (id) ON DELETE CASCADE,
    actor_username   TEXT NOT NULL CHECK (length(actor_username) <= 200),
    actor_user_id    TEXT,
    action           TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 200),
    entity_type      TEXT NOT NULL,
    entity_id        TEXT NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('ok', 'partial', 'failed', 'warning', 'blocked')),
    request_id       TEXT NOT NULL,
    payload          TEXT NOT NULL CHECK (json_type(payload) = 'object'),
    evidence_refs    TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    created_at       TEXT NOT NULL,
    CHECK ((project_id IS NULL) = (account_scope_id IS NULL)),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX audit_event_project ON audit_event (project_id);
CREATE INDEX audit_event_action ON audit_event (project_id, action);
-- What the filters of the list look at, so that a rare match is found without reading the lines themselves.
CREATE INDEX audit_event_filter ON audit_event
    (project_id, id, created_at, actor_username, status, action, entity_type, entity_id);
CREATE INDEX audit_event_trouble ON audit_event (project_id, id) WHERE status <> 'ok';
CREATE INDEX audit_event_age ON audit_event (created_at);
CREATE INDEX audit_event_owner ON audit_event (project_id, account_scope_id);
CREATE INDEX audit_event_scope ON audit_event (account_scope_id);

CREATE TABLE evidence_item (
    id                     INTEGER PRIMARY KEY,
    project_id             TEXT NOT NULL,
    account_scope_id       TEXT NOT NULL REFERENCES account_scope (id) ON DELETE CASCADE,
    source_type            TEXT NOT NULL CHECK (source_type <> ''),
    source_table           TEXT NOT NULL
        CHECK (source_table IN ('cw_messages', 'cw_conversations', 'cw_contacts', 'rag_chunks', 'external')),
    source_pk              TEXT NOT NULL CHECK (source_pk <> ''),
    conversation_global_id TEXT,
    message_global_id      TEXT,
    contact_global_id      TEXT,
    snippet                TEXT CHECK (length(snippet) <= 1000),
    payload                TEXT NOT NULL CHECK (json_type(payload) = 'object'),
    created_at             TEXT NOT NULL,
    updated_at             TEXT NOT NULL,
    UNIQUE (project_id, source_table, source_pk),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX evidence_item_type ON evidence_item (project_id, source_type);
CREATE INDEX evidence_item_project ON evidence_item (project_id, account_scope_id);
CREATE INDEX evidence_item_scope ON evidence_item (account_scope_id);
