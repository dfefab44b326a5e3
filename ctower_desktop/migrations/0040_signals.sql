-- What it means: signals, what to do about them, and chances to sell more.

-- One signal is one story: a kind of thing that goes on in one conversation, delivery project or deal. `story`
-- counts the stories of a kind in one place. Evidence accumulates; what somebody closed is raised again only by
-- evidence it was not closed with.
CREATE TABLE signal (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    signal_type      TEXT NOT NULL CHECK (signal_type IN (
        'delivery_risk', 'commercial_pressure', 'upsell_intent', 'urgency_increase', 'delivery_overdue',
        'deal_without_next_step', 'communication_gap', 'silence', 'scope_change', 'approval_request',
        'sentiment_trend')),
    severity         INTEGER NOT NULL CHECK (severity BETWEEN 1 AND 5),
    confidence       REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    summary          TEXT NOT NULL,
    status           TEXT NOT NULL DEFAULT 'proposed' CHECK (status IN ('proposed', 'accepted', 'dismissed', 'done')),
    source_kind      TEXT NOT NULL CHECK (source_kind IN ('conversation', 'crm', 'linear', 'campaign', 'system')),
    source_ref       TEXT NOT NULL,  -- the conversation, `linear_project:<id>` or the opportunity
    story            INTEGER NOT NULL CHECK (story >= 1),
    dedupe_key       TEXT NOT NULL,
    language         TEXT NOT NULL CHECK (language IN ('ru', 'en')),
    evidence_refs    TEXT NOT NULL DEFAULT '[]' CHECK (json_type(evidence_refs) = 'array'),
    started_at       TEXT NOT NULL,  -- when the oldest and the newest of the evidence happened
    last_seen_at     TEXT NOT NULL,
    settled_at       TEXT,           -- when it was closed last, by whom, and with what evidence
    settled_by       TEXT,
    settled_with     TEXT NOT NULL DEFAULT '[]' CHECK (json_type(settled_with) = 'array'),
    cleared_at       TEXT,           -- when the cause was found gone
    reopened_at      TEXT,
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    UNIQUE (project_id, dedupe_key)
) STRICT;
CREATE INDEX signal_worst ON signal (project_id, severity DESC, confidence DESC, created_at DESC, id);
CREATE INDEX signal_worst_by_status
    ON signal (project_id, status, severity DESC, confidence DESC, created_at DESC, id);
CREATE INDEX signal_of_source ON signal (project_id, source_ref, signal_type, story);
CREATE INDEX signal_standing ON signal (project_id, signal_type) WHERE cleared_at IS NULL;
CREATE INDEX signal_seen ON signal (project_id, last_seen_at);
CREATE INDEX signal_stale ON signal (project_id, last_seen_at) WHERE status = 'proposed';

-- The sentences a signal stands on.
CREATE TABLE signal_evidence (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    signal_id        TEXT NOT NULL REFERENCES signal (id) ON DELETE CASCADE,
    ref              TEXT NOT NULL,
    author           TEXT,
    quote            TEXT NOT NULL,
    said_at          TEXT NOT NULL,
    UNIQUE (signal_id, ref)
) STRICT;
CREATE INDEX signal_evidence_by_ref ON signal_evidence (project_id, ref);

CREATE TABLE next_action (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    signal_id        TEXT REFERENCES signal (id) ON DELETE CASCADE,
    action_type      TEXT NOT NULL,
    priority         INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 5),
    status           TEXT NOT NULL DEFAULT 'proposed'
        CHECK (status IN ('proposed', 'accepted', 'dismissed', 'done', 'cancelled')),
    summary          TEXT NOT NULL,
    due_date         TEXT,           -- a day
    owner_username   TEXT,
    edited           INTEGER NOT NULL DEFAULT 0 CHECK (edited IN (0, 1)),  -- somebody chose day or owner
    with_signal      INTEGER NOT NULL DEFAULT 0 CHECK (with_signal IN (0, 1)),  -- closed together with its signal
    evidence_refs    TEXT NOT NULL DEFAULT '[]' CHECK (json_type(evidence_refs) = 'array'),
    dedupe_key       TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    UNIQUE (project_id, dedupe_key)
) STRICT;
CREATE INDEX next_action_top ON next_action (project_id, priority DESC, updated_at DESC, id);
CREATE INDEX next_action_top_by_status ON next_action (project_id, status, priority DESC, updated_at DESC, id);
CREATE INDEX next_action_of_signal ON next_action (signal_id);

CREATE TABLE upsell_opportunity (
    id                         TEXT PRIMARY KEY,
    project_id                 TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id           TEXT NOT NULL,
    account_external_id        TEXT,
    source_kind                TEXT NOT NULL CHECK (source_kind IN ('conversation', 'deal')),
    source_ref                 TEXT NOT NULL,
    title                      TEXT NOT NULL,
    rationale                  TEXT NOT NULL,
    score                      REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    status                     TEXT NOT NULL DEFAULT 'proposed'
        CHECK (status IN ('proposed', 'accepted', 'dismissed', 'converted')),
    closed_by_itself           INTEGER NOT NULL DEFAULT 0 CHECK (closed_by_itself IN (0, 1)),
    suggested_offer_payload    TEXT NOT NULL DEFAULT '{}' CHECK (json_type(suggested_offer_payload) = 'object'),
    suggested_outbound_payload TEXT NOT NULL DEFAULT '{}' CHECK (json_type(suggested_outbound_payload) = 'object'),
    evidence_refs              TEXT NOT NULL DEFAULT '[]' CHECK (json_type(evidence_refs) = 'array'),
    dedupe_key                 TEXT NOT NULL,
    last_seen_at               TEXT NOT NULL,
    created_at                 TEXT NOT NULL,
    updated_at                 TEXT NOT NULL,
    UNIQUE (project_id, dedupe_key)
) STRICT;
CREATE INDEX upsell_best ON upsell_opportunity (project_id, score DESC, updated_at DESC, id);
CREATE INDEX upsell_best_by_status ON upsell_opportunity (project_id, status, score DESC, updated_at DESC, id);
CREATE INDEX upsell_of_source ON upsell_opportunity (project_id, source_kind, source_ref);

-- Messages that were added, changed or removed and not read yet.
CREATE TABLE signal_queue (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id      TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    message_id      TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL
) STRICT;
CREATE INDEX signal_queue_of_project ON signal_queue (project_id, seq);

INSERT INTO signal_queue (project_id, message_id, conversation_id)
SELECT project_id, id, conversation_global_id FROM message
WHERE private = 0 AND deleted_at IS NULL AND message_type NOT IN ('2', '3');

CREATE TRIGGER signal_message_added AFTER INSERT ON message
WHEN NEW.private = 0 AND NEW.message_type NOT IN ('2', '3') BEGIN
    DELETE FROM signal_queue WHERE message_id = NEW.id;
    INSERT INTO signal_queue (project_id, message_id, conversation_id)
    VALUES (NEW.project_id, NEW.id, NEW.conversation_global_id);
END;
CREATE TRIGGER signal_message_edited AFTER UPDATE ON message
WHEN (OLD.content, OLD.private, OLD.deleted_at, OLD.created_at, OLD.sender_type, OLD.message_type)
  IS NOT (NEW.content, NEW.private, NEW.deleted_at, NEW.created_at, NEW.sender_type, NEW.message_type)
BEGIN
    DELETE FROM signal_queue WHERE message_id = NEW.id;
    INSERT INTO signal_queue (project_id, message_id, conversation_id)
    VALUES (NEW.project_id, NEW.id, NEW.conversation_global_id);
END;
CREATE TRIGGER signal_message_removed AFTER DELETE ON message
WHEN EXISTS (SELECT 1 FROM project WHERE id = OLD.project_id) BEGIN
    DELETE FROM signal_queue WHERE message_id = OLD.id;
    INSERT INTO signal_queue (project_id, message_id, conversation_id)
    VALUES (OLD.project_id, OLD.id, OLD.conversation_global_id);
END;

-- Whose turn it is in a conversation, and how the client's tone moves; kept as messages are read.
CREATE TABLE signal_thread (
    conversation_id  TEXT PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    open             INTEGER NOT NULL CHECK (open IN (0, 1)),
    turn             TEXT CHECK (turn IN ('client', 'team')),  -- who is to speak next
    since            TEXT,
    about            TEXT,           -- the message that waits to be answered
    client_last_at   TEXT,
    language         TEXT NOT NULL CHECK (language IN ('ru', 'en')),
    mood             REAL NOT NULL DEFAULT 0 CHECK (mood BETWEEN -1 AND 1),
    moods            INTEGER NOT NULL DEFAULT 0,  -- how many messages the mood was read from
    mood_refs        TEXT NOT NULL DEFAULT '[]' CHECK (json_type(mood_refs) = 'array'),
    CHECK ((turn IS NULL) = (since IS NULL))
) STRICT;
CREATE INDEX signal_thread_waiting ON signal_thread (project_id, turn, since) WHERE open = 1;
CREATE INDEX signal_thread_sour ON signal_thread (project_id, mood) WHERE open = 1 AND moods > 0;

CREATE TRIGGER signal_conversation_moved AFTER UPDATE OF status, deleted_at ON conversation
WHEN (OLD.status, OLD.deleted_at) IS NOT (NEW.status, NEW.deleted_at) BEGIN
    UPDATE signal_thread SET open = (NEW.status IN ('open', 'pending') AND NEW.deleted_at IS NULL)
    WHERE conversation_id = NEW.id;
END;
