-- What is being said: inboxes, contacts, conversations, messages, attachments.
-- Ids are `kind:{project}:{account}:{vendor id}`, so that one account can feed several projects.
-- `deleted_at` marks what the vendor no longer has; such rows come back if they reappear there.

CREATE TABLE inbox (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    inbox_id TEXT NOT NULL,
    name TEXT NOT NULL,
    channel_type TEXT,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX inbox_of_project ON inbox (project_id, inbox_id);

CREATE TABLE contact (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    name TEXT,
    email TEXT,
    phone_number TEXT,
    identifier TEXT,
    company_name TEXT,
    custom_attributes TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(custom_attributes)),
    haystack TEXT NOT NULL DEFAULT '',  -- what is looked through for words: lower case, ё as е
    created_at TEXT,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX contact_recent ON contact (project_id, updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX contact_by_email ON contact (project_id, lower(email)) WHERE email IS NOT NULL;

CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    contact_global_id TEXT,
    inbox_id TEXT,
    status TEXT NOT NULL,
    priority TEXT,
    assignee_id TEXT,
    assignee_name TEXT,
    subject TEXT,
    labels TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(labels)),
    created_at TEXT NOT NULL,
    updated_at TEXT,
    last_activity_at TEXT,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX conversation_recent
    ON conversation (project_id, coalesce(updated_at, created_at) DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX conversation_of_contact ON conversation (project_id, contact_global_id);

CREATE TABLE message (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    conversation_global_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    contact_global_id TEXT,
    sender_type TEXT,
    sender_id TEXT,
    sender_name TEXT,
    private INTEGER NOT NULL DEFAULT 0 CHECK (private IN (0, 1)),
    message_type TEXT NOT NULL,
    content TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deleted_reason TEXT,
    CHECK ((deleted_at IS NULL) = (deleted_reason IS NULL))
) STRICT;
CREATE INDEX message_recent ON message (project_id, created_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX message_of_conversation ON message (conversation_global_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX message_of_conversation_any ON message (conversation_global_id);
-- What was deleted is no longer quoted as evidence.
CREATE TRIGGER message_not_quoted AFTER UPDATE OF deleted_at ON message
    WHEN new.deleted_at IS NOT NULL AND old.deleted_at IS NULL BEGIN
    UPDATE evidence_item SET snippet = NULL
    WHERE project_id = new.project_id AND source_table = 'cw_messages' AND source_pk = new.id;
END;

CREATE TABLE attachment (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    message_global_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    conversation_global_id TEXT NOT NULL,
    content_type TEXT,
    file_size INTEGER,
    file_url TEXT,
    thumb_url TEXT
) STRICT;
CREATE INDEX attachment_of_message ON attachment (message_global_id);
CREATE INDEX attachment_of_project ON attachment (project_id);
