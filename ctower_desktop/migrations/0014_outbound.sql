-- What we send: messages with their approval, every try to send one, and what each recipient allows.

CREATE TABLE outbound_message (
    id                TEXT PRIMARY KEY,
    project_id        TEXT NOT NULL,
    account_scope_id  TEXT NOT NULL,
    channel           TEXT NOT NULL CHECK (channel IN ('email', 'chatwoot', 'telegram', 'loops')),
    recipient_ref     TEXT NOT NULL CHECK (length(recipient_ref) BETWEEN 1 AND 500),
    payload           TEXT NOT NULL DEFAULT '{}' CHECK (json_type(payload) = 'object'),
    evidence_refs     TEXT NOT NULL DEFAULT '[]' CHECK (json_type(evidence_refs) = 'array'),
    status            TEXT NOT NULL DEFAULT 'draft' CHECK (status IN (
        'draft', 'approved', 'sending', 'sent', 'failed', 'cancelled', 'blocked_opt_out', 'uncertain')),
    idempotency_key   TEXT NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 500),
    dedupe_key        TEXT NOT NULL CHECK (length(dedupe_key) BETWEEN 1 AND 500),
    retry_count       INTEGER NOT NULL DEFAULT 0 CHECK (retry_count >= 0),
    max_retries       INTEGER NOT NULL DEFAULT 5 CHECK (max_retries BETWEEN 0 AND 20),
    next_attempt_at   TEXT,
    send_requested_at TEXT,  -- a person pressed send: it goes out although approved ones wait for one
    dry_run_at        TEXT,  -- rehearsed since it was last edited
    recipient_key     TEXT,  -- whom it goes to, in the one form in which recipients are counted
    wire_key          TEXT,  -- what the vendor knows it by: made once, used for every try
    approved_by       TEXT,
    approved_at       TEXT,
    sent_at           TEXT,
    last_error        TEXT CHECK (length(last_error) <= 2000),
    created_by        TEXT NOT NULL,
    created_at        TEXT NOT NULL,
    updated_at        TEXT NOT NULL,
    UNIQUE (project_id, idempotency_key),
    CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
    CHECK (status = 'draft' OR status = 'cancelled' OR approved_at IS NOT NULL),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

-- what was called off may be written again
CREATE UNIQUE INDEX outbound_message_once ON outbound_message (project_id, dedupe_key) WHERE status <> 'cancelled';
CREATE INDEX outbound_message_newest ON outbound_message (project_id, created_at DESC, id DESC);
CREATE INDEX outbound_message_status ON outbound_message (project_id, status, created_at DESC, id DESC);
CREATE INDEX outbound_message_due ON outbound_message (project_id, next_attempt_at)
    WHERE status IN ('approved', 'failed') AND next_attempt_at IS NOT NULL;
CREATE INDEX outbound_message_on_its_way ON outbound_message (project_id, channel, recipient_key)
    WHERE status IN ('sending', 'uncertain');
CREATE INDEX outbound_message_over ON outbound_message (project_id, updated_at)
    WHERE status IN ('sent', 'failed', 'blocked_opt_out', 'cancelled');
CREATE INDEX outbound_message_scope ON outbound_message (project_id, account_scope_id);

CREATE TABLE outbound_attempt (
    id                  INTEGER PRIMARY KEY,
    project_id          TEXT NOT NULL,
    account_scope_id    TEXT NOT NULL,
    outbound_id         TEXT NOT NULL REFERENCES outbound_message (id) ON DELETE CASCADE,
    attempt_no          INTEGER NOT NULL CHECK (attempt_no >= 1),
    status              TEXT NOT NULL CHECK (status IN ('sending', 'sent', 'failed', 'uncertain', 'dry_run')),
    refused             INTEGER NOT NULL DEFAULT 0 CHECK (refused IN (0, 1)),  -- the vendor said no
    provider_message_id TEXT,
    error               TEXT CHECK (length(error) <= 2000),
    rendered            TEXT NOT NULL DEFAULT '{}' CHECK (json_type(rendered) = 'object'),
    actor_username      TEXT NOT NULL,
    started_at          TEXT NOT NULL,
    finished_at         TEXT,
    UNIQUE (outbound_id, attempt_no),
    CHECK ((status = 'sending') = (finished_at IS NULL)),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX outbound_attempt_open ON outbound_attempt (started_at) WHERE status = 'sending';
CREATE INDEX outbound_attempt_project ON outbound_attempt (project_id, account_scope_id);

-- `contact_global_id` is a contact's id, or what is known of somebody who is no contact: an address, a chat.
CREATE TABLE channel_policy (
    id                     TEXT PRIMARY KEY,
    project_id             TEXT NOT NULL,
    account_scope_id       TEXT NOT NULL,
    contact_global_id      TEXT NOT NULL CHECK (length(contact_global_id) BETWEEN 1 AND 500),
    channel                TEXT NOT NULL CHECK (channel IN ('email', 'chatwoot', 'telegram', 'loops')),
    opted_out              INTEGER NOT NULL DEFAULT 0 CHECK (opted_out IN (0, 1)),
    stop_on_reply          INTEGER NOT NULL DEFAULT 1 CHECK (stop_on_reply IN (0, 1)),
    frequency_window_hours INTEGER NOT NULL DEFAULT 24 CHECK (frequency_window_hours BETWEEN 1 AND 720),
    frequency_cap          INTEGER NOT NULL DEFAULT 3 CHECK (frequency_cap BETWEEN 1 AND 200),
    sent_in_window         INTEGER NOT NULL DEFAULT 0 CHECK (sent_in_window >= 0),
    window_started_at      TEXT,
    last_outbound_at       TEXT,
    last_inbound_at        TEXT,
    ruled_at               TEXT,  -- when a person said what holds; NULL: nobody did
    created_at             TEXT NOT NULL,
    updated_at             TEXT NOT NULL,
    UNIQUE (project_id, contact_global_id, channel),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX channel_policy_newest ON channel_policy (project_id, updated_at DESC, id);
CREATE INDEX channel_policy_out ON channel_policy (project_id, updated_at DESC, id) WHERE opted_out = 1;
CREATE INDEX channel_policy_scope ON channel_policy (project_id, account_scope_id);

CREATE TABLE channel_test (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    channel          TEXT NOT NULL CHECK (channel IN ('email', 'chatwoot', 'telegram', 'loops')),
    works            INTEGER NOT NULL CHECK (works IN (0, 1)),
    code             TEXT NOT NULL,
    message          TEXT NOT NULL,
    tested_at        TEXT NOT NULL,
    UNIQUE (project_id, channel),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX channel_test_project ON channel_test (project_id, account_scope_id);

-- recipients are found by what they are reached at
CREATE INDEX contact_by_phone ON contact (project_id, phone_number) WHERE phone_number IS NOT NULL;
CREATE INDEX contact_by_telegram ON contact (project_id, json_extract(custom_attributes, '$.telegram_chat_id'))
    WHERE json_extract(custom_attributes, '$.telegram_chat_id') IS NOT NULL;
