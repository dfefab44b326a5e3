-- Finding it again: which texts wait to be indexed, what was asked, how good the answers were.
-- The index itself lives in index.db, which can be made again from these tables at any time.

-- One line per changed text. A text that changes again while it waits moves to the end under a new number, so
-- a worker that took the old number does not lose the new change. No foreign key: the line outlives a deleted
-- project until the index has forgotten its texts.
CREATE TABLE index_queue (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    source_type TEXT NOT NULL CHECK (source_type IN ('message', 'issue', 'comment', 'deal', 'note', 'task')),
    source_pk   TEXT NOT NULL,
    project_id  TEXT NOT NULL,
    queued_at   TEXT NOT NULL,
    UNIQUE (source_type, source_pk)
) STRICT;
CREATE INDEX index_queue_project ON index_queue (project_id, seq);

CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    DELETE FROM index_queue WHERE source_type = 'message' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('message', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER message_edited AFTER UPDATE ON message
WHEN (OLD.content, OLD.private, OLD.deleted_at, OLD.created_at, OLD.sender_type, OLD.sender_name,
      OLD.contact_global_id, OLD.conversation_global_id)
  IS NOT (NEW.content, NEW.private, NEW.deleted_at, NEW.created_at, NEW.sender_type, NEW.sender_name,
          NEW.contact_global_id, NEW.conversation_global_id)
BEGIN
    DELETE FROM index_queue WHERE source_type = 'message' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('message', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER message_removed AFTER DELETE ON message BEGIN
    DELETE FROM index_queue WHERE source_type = 'message' AND source_pk = OLD.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('message', OLD.id, OLD.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;

CREATE TRIGGER issue_added AFTER INSERT ON issue BEGIN
    DELETE FROM index_queue WHERE source_type = 'issue' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('issue', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER issue_edited AFTER UPDATE ON issue
WHEN (OLD.identifier, OLD.title, OLD.description, OLD.state, OLD.priority, OLD.assignee_name, OLD.due_date,
      OLD.url, OLD.updated_at, OLD.deleted_at)
  IS NOT (NEW.identifier, NEW.title, NEW.description, NEW.state, NEW.priority, NEW.assignee_name, NEW.due_date,
          NEW.url, NEW.updated_at, NEW.deleted_at)
BEGIN
    DELETE FROM index_queue WHERE source_type = 'issue' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('issue', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER issue_removed AFTER DELETE ON issue BEGIN
    DELETE FROM index_queue WHERE source_type = 'issue' AND source_pk = OLD.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('issue', OLD.id, OLD.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;

CREATE TRIGGER comment_added AFTER INSERT ON comment BEGIN
    DELETE FROM index_queue WHERE source_type = 'comment' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('comment', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER comment_edited AFTER UPDATE ON comment
WHEN (OLD.body, OLD.author_name, OLD.created_at, OLD.deleted_at)
  IS NOT (NEW.body, NEW.author_name, NEW.created_at, NEW.deleted_at)
BEGIN
    DELETE FROM index_queue WHERE source_type = 'comment' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('comment', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER comment_removed AFTER DELETE ON comment BEGIN
    DELETE FROM index_queue WHERE source_type = 'comment' AND source_pk = OLD.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('comment', OLD.id, OLD.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;

CREATE TRIGGER deal_added AFTER INSERT ON deal BEGIN
    DELETE FROM index_queue WHERE source_type = 'deal' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('deal', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER deal_edited AFTER UPDATE ON deal
WHEN (OLD.title, OLD.stage, OLD.amount, OLD.currency, OLD.probability, OLD.expected_close_date, OLD.next_step,
      OLD.company_name, OLD.owner_name, OLD.url, OLD.updated_at, OLD.deleted_at)
  IS NOT (NEW.title, NEW.stage, NEW.amount, NEW.currency, NEW.probability, NEW.expected_close_date, NEW.next_step,
          NEW.company_name, NEW.owner_name, NEW.url, NEW.updated_at, NEW.deleted_at)
BEGIN
    DELETE FROM index_queue WHERE source_type = 'deal' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('deal', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER deal_removed AFTER DELETE ON deal BEGIN
    DELETE FROM index_queue WHERE source_type = 'deal' AND source_pk = OLD.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('deal', OLD.id, OLD.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;

CREATE TRIGGER note_added AFTER INSERT ON note BEGIN
    DELETE FROM index_queue WHERE source_type = 'note' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('note', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER note_edited AFTER UPDATE ON note
WHEN (OLD.title, OLD.content, OLD.author_name, OLD.created_at, OLD.deleted_at)
  IS NOT (NEW.title, NEW.content, NEW.author_name, NEW.created_at, NEW.deleted_at)
BEGIN
    DELETE FROM index_queue WHERE source_type = 'note' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('note', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER note_removed AFTER DELETE ON note BEGIN
    DELETE FROM index_queue WHERE source_type = 'note' AND source_pk = OLD.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('note', OLD.id, OLD.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;

CREATE TRIGGER task_added AFTER INSERT ON task BEGIN
    DELETE FROM index_queue WHERE source_type = 'task' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('task', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER task_edited AFTER UPDATE ON task
WHEN (OLD.content, OLD.deadline_at, OLD.is_completed, OLD.assignee_name, OLD.created_at, OLD.deleted_at)
  IS NOT (NEW.content, NEW.deadline_at, NEW.is_completed, NEW.assignee_name, NEW.created_at, NEW.deleted_at)
BEGIN
    DELETE FROM index_queue WHERE source_type = 'task' AND source_pk = NEW.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('task', NEW.id, NEW.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;
CREATE TRIGGER task_removed AFTER DELETE ON task BEGIN
    DELETE FROM index_queue WHERE source_type = 'task' AND source_pk = OLD.id;
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES ('task', OLD.id, OLD.project_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;

CREATE TABLE lightrag_query_runs (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL REFERENCES account_scope (id) ON DELETE CASCADE,
    query_text       TEXT NOT NULL,
    top_k            INTEGER NOT NULL,
    chunk_hits       INTEGER NOT NULL CHECK (chunk_hits >= 0),
    source_hits      INTEGER NOT NULL CHECK (source_hits >= 0),
    evidence         TEXT NOT NULL CHECK (json_type(evidence) = 'array'),
    answer           TEXT NOT NULL,
    quality_score    INTEGER NOT NULL CHECK (quality_score BETWEEN 0 AND 100),
    source_diversity INTEGER NOT NULL CHECK (source_diversity >= 0),
    created_by       TEXT NOT NULL,
    created_at       TEXT NOT NULL
) STRICT;
CREATE INDEX lightrag_query_runs_age ON lightrag_query_runs (project_id, created_at);
CREATE INDEX lightrag_query_runs_scope ON lightrag_query_runs (account_scope_id);

CREATE TABLE lightrag_feedback (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL REFERENCES account_scope (id) ON DELETE CASCADE,
    query_run_id     INTEGER NOT NULL REFERENCES lightrag_query_runs (id) ON DELETE CASCADE,
    rating           INTEGER NOT NULL CHECK (rating IN (-1, 0, 1)),
    comment          TEXT CHECK (length(comment) <= 2000),
    source_pk        TEXT,  -- the one piece of evidence that was judged; the answer as a whole when null
    created_by       TEXT NOT NULL,
    created_at       TEXT NOT NULL
) STRICT;
CREATE INDEX lightrag_feedback_run ON lightrag_feedback (query_run_id);
CREATE INDEX lightrag_feedback_project ON lightrag_feedback (project_id, created_at);
CREATE INDEX lightrag_feedback_scope ON lightrag_feedback (account_scope_id);

-- What the feedback means for the next question with the same words. It outlives the runs it came from.
CREATE TABLE search_verdict (
    id         INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    stem       TEXT NOT NULL CHECK (stem <> ''),
    source_pk  TEXT NOT NULL,
    weight     REAL NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (project_id, stem, source_pk)
) STRICT;

CREATE TABLE search_analytics (
    id                  INTEGER PRIMARY KEY,
    project_id          TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id    TEXT NOT NULL REFERENCES account_scope (id) ON DELETE CASCADE,
    event_type          TEXT NOT NULL CHECK (event_type IN ('search', 'click')),
    query               TEXT NOT NULL,
    result_count        INTEGER NOT NULL CHECK (result_count >= 0),
    filters             TEXT NOT NULL CHECK (json_type(filters) = 'object'),
    user_id             TEXT,
    clicked_result_id   TEXT,
    clicked_source_type TEXT,
    duration_ms         INTEGER CHECK (duration_ms >= 0),
    created_at          TEXT NOT NULL
) STRICT;
CREATE INDEX search_analytics_age ON search_analytics (project_id, created_at);
CREATE INDEX search_analytics_scope ON search_analytics (account_scope_id);

-- The words of the evidence that was pointed at; `evidence_item` itself belongs to the audit trail.
CREATE VIRTUAL TABLE evidence_words USING fts5(
    snippet, source_type, source_pk, conversation_global_id, message_global_id, contact_global_id,
    content = 'evidence_item', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO evidence_words (evidence_words) VALUES ('rebuild');
CREATE TRIGGER evidence_item_added AFTER INSERT ON evidence_item BEGIN
    INSERT INTO evidence_words (rowid, snippet, source_type, source_pk, conversation_global_id, message_global_id,
                                contact_global_id)
    VALUES (NEW.id, NEW.snippet, NEW.source_type, NEW.source_pk, NEW.conversation_global_id,
            NEW.message_global_id, NEW.contact_global_id);
END;
CREATE TRIGGER evidence_item_edited AFTER UPDATE ON evidence_item BEGIN
    INSERT INTO evidence_words (evidence_words, rowid, snippet, source_type, source_pk, conversation_global_id,
                                message_global_id, contact_global_id)
    VALUES ('delete', OLD.id, OLD.snippet, OLD.source_type, OLD.source_pk, OLD.conversation_global_id,
            OLD.message_global_id, OLD.contact_global_id);
    INSERT INTO evidence_words (rowid, snippet, source_type, source_pk, conversation_global_id, message_global_id,
                                contact_global_id)
    VALUES (NEW.id, NEW.snippet, NEW.source_type, NEW.source_pk, NEW.conversation_global_id,
            NEW.message_global_id, NEW.contact_global_id);
END;
CREATE TRIGGER evidence_item_removed AFTER DELETE ON evidence_item BEGIN
    INSERT INTO evidence_words (evidence_words, rowid, snippet, source_type, source_pk, conversation_global_id,
                                message_global_id, contact_global_id)
    VALUES ('delete', OLD.id, OLD.snippet, OLD.source_type, OLD.source_pk, OLD.conversation_global_id,
            OLD.message_global_id, OLD.contact_global_id);
END;
