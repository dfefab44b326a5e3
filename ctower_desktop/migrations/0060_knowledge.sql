-- The graph of the business: things, their names, what is said of them, and which rows say so.
-- A triple stands as long as one source says it; a thing stands as long as a row is it or a triple names it.

CREATE TABLE graph_entity (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: clients keep it
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    ref              TEXT NOT NULL CHECK (ref <> ''),  -- what makes it the same thing in two rows
    name             TEXT NOT NULL CHECK (name <> ''),
    type             TEXT NOT NULL CHECK (type <> ''),
    properties       TEXT NOT NULL DEFAULT '{}' CHECK (json_type(properties) = 'object'),
    updated_at       TEXT NOT NULL,
    UNIQUE (project_id, ref)
) STRICT;
CREATE INDEX graph_entity_type ON graph_entity (project_id, type);

-- Which rows are a thing. Its name is that of the row that was read last.
CREATE TABLE graph_owner (
    id         INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    entity_id  INTEGER NOT NULL REFERENCES graph_entity (id) ON DELETE CASCADE,
    source_key TEXT NOT NULL,
    UNIQUE (source_key, entity_id)
) STRICT;
CREATE INDEX graph_owner_entity ON graph_owner (entity_id);
CREATE INDEX graph_owner_project ON graph_owner (project_id);

-- What a thing may be called, ready to be compared: folded, as stems, as it sounds.
CREATE TABLE graph_name (
    id         INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    entity_id  INTEGER NOT NULL REFERENCES graph_entity (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('name', 'alias', 'stem', 'sound')),
    key        TEXT NOT NULL CHECK (key <> ''),
    UNIQUE (entity_id, kind, key)
) STRICT;
CREATE INDEX graph_name_key ON graph_name (project_id, key, kind);
CREATE VIRTUAL TABLE graph_grams USING fts5(key, content = 'graph_name', content_rowid = 'id', tokenize = 'trigram');
CREATE TRIGGER graph_name_added AFTER INSERT ON graph_name WHEN NEW.kind IN ('name', 'alias') BEGIN
    INSERT INTO graph_grams (rowid, key) VALUES (NEW.id, NEW.key);
END;
CREATE TRIGGER graph_name_removed AFTER DELETE ON graph_name WHEN OLD.kind IN ('name', 'alias') BEGIN
    INSERT INTO graph_grams (graph_grams, rowid, key) VALUES ('delete', OLD.id, OLD.key);
END;

CREATE TABLE graph_triple (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    head_id          INTEGER NOT NULL REFERENCES graph_entity (id) ON DELETE CASCADE,
    relation         TEXT NOT NULL CHECK (relation <> ''),
    tail_id          INTEGER NOT NULL REFERENCES graph_entity (id) ON DELETE CASCADE,
    feedback         REAL NOT NULL DEFAULT 0 CHECK (feedback BETWEEN -1 AND 1),
    created_at       TEXT NOT NULL,
    UNIQUE (head_id, relation, tail_id)
) STRICT;
CREATE INDEX graph_triple_tail ON graph_triple (tail_id, relation, head_id);
CREATE INDEX graph_triple_project ON graph_triple (project_id, relation);
CREATE INDEX graph_triple_page ON graph_triple (project_id);  -- in the order of ids, as pages are

-- Who says so: a synced row, a client of the door, or a model that read a text.
CREATE TABLE graph_source (
    id          INTEGER PRIMARY KEY,
    project_id  TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    triple_id   INTEGER NOT NULL REFERENCES graph_triple (id) ON DELETE CASCADE,
    source_key  TEXT NOT NULL,  -- table:id of the row, or ingest
    origin      TEXT NOT NULL CHECK (origin IN ('rules', 'ingest', 'llm')),
    confidence  REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    occurred_at TEXT NOT NULL,
    UNIQUE (triple_id, source_key)
) STRICT;
CREATE INDEX graph_source_key ON graph_source (source_key);
CREATE INDEX graph_source_project ON graph_source (project_id);

-- The words of each triple as stems; `project` keeps a search within its project.
CREATE VIRTUAL TABLE graph_words USING fts5(
    project, terms, content = '', contentless_delete = 1, tokenize = 'unicode61'
);
CREATE TRIGGER graph_triple_removed AFTER DELETE ON graph_triple BEGIN
    DELETE FROM graph_words WHERE rowid = OLD.id;
END;

-- What was asked and answered, so that a verdict on it can be acted upon.
CREATE TABLE graph_query (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    question         TEXT NOT NULL,
    entities         TEXT NOT NULL CHECK (json_type(entities) = 'array'),
    triples          TEXT NOT NULL CHECK (json_type(triples) = 'array'),
    answer           TEXT NOT NULL,
    trust            REAL NOT NULL CHECK (trust BETWEEN 0 AND 1),
    asked_by         TEXT NOT NULL,
    created_at       TEXT NOT NULL
) STRICT;
CREATE INDEX graph_query_age ON graph_query (project_id, created_at);

CREATE TABLE graph_feedback (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    query_id         TEXT NOT NULL CHECK (length(query_id) <= 200),
    is_correct       INTEGER NOT NULL CHECK (is_correct IN (0, 1)),
    comment          TEXT,
    expected_answer  TEXT,
    given_by         TEXT NOT NULL,
    created_at       TEXT NOT NULL
) STRICT;
CREATE INDEX graph_feedback_query ON graph_feedback (project_id, query_id);

-- One line per changed row, as in index_queue.
CREATE TABLE graph_queue (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    source_table TEXT NOT NULL,
    source_pk    TEXT NOT NULL,
    project_id   TEXT NOT NULL,
    UNIQUE (source_table, source_pk)
) STRICT;

CREATE TRIGGER contact_into_graph AFTER INSERT ON contact BEGIN
    DELETE FROM graph_queue WHERE source_table = 'contact' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('contact', NEW.id, NEW.project_id);
END;
CREATE TRIGGER contact_changed_in_graph AFTER UPDATE ON contact
WHEN (OLD.name, OLD.email, OLD.company_name, OLD.deleted_at)
  IS NOT (NEW.name, NEW.email, NEW.company_name, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'contact' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('contact', NEW.id, NEW.project_id);
END;
CREATE TRIGGER contact_out_of_graph AFTER DELETE ON contact BEGIN
    DELETE FROM graph_queue WHERE source_table = 'contact' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('contact', OLD.id, OLD.project_id);
END;

CREATE TRIGGER conversation_into_graph AFTER INSERT ON conversation BEGIN
    DELETE FROM graph_queue WHERE source_table = 'conversation' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('conversation', NEW.id, NEW.project_id);
END;
CREATE TRIGGER conversation_changed_in_graph AFTER UPDATE ON conversation
WHEN (OLD.subject, OLD.contact_global_id, OLD.assignee_name, OLD.status, OLD.deleted_at)
  IS NOT (NEW.subject, NEW.contact_global_id, NEW.assignee_name, NEW.status, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'conversation' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('conversation', NEW.id, NEW.project_id);
END;
CREATE TRIGGER conversation_out_of_graph AFTER DELETE ON conversation BEGIN
    DELETE FROM graph_queue WHERE source_table = 'conversation' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('conversation', OLD.id, OLD.project_id);
END;

CREATE TRIGGER company_into_graph AFTER INSERT ON company BEGIN
    DELETE FROM graph_queue WHERE source_table = 'company' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('company', NEW.id, NEW.project_id);
END;
CREATE TRIGGER company_changed_in_graph AFTER UPDATE ON company
WHEN (OLD.name, OLD.domain, OLD.deleted_at)
  IS NOT (NEW.name, NEW.domain, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'company' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('company', NEW.id, NEW.project_id);
END;
CREATE TRIGGER company_out_of_graph AFTER DELETE ON company BEGIN
    DELETE FROM graph_queue WHERE source_table = 'company' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('company', OLD.id, OLD.project_id);
END;

CREATE TRIGGER person_into_graph AFTER INSERT ON person BEGIN
    DELETE FROM graph_queue WHERE source_table = 'person' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('person', NEW.id, NEW.project_id);
END;
CREATE TRIGGER person_changed_in_graph AFTER UPDATE ON person
WHEN (OLD.full_name, OLD.email, OLD.account_external_id, OLD.role, OLD.deleted_at)
  IS NOT (NEW.full_name, NEW.email, NEW.account_external_id, NEW.role, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'person' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('person', NEW.id, NEW.project_id);
END;
CREATE TRIGGER person_out_of_graph AFTER DELETE ON person BEGIN
    DELETE FROM graph_queue WHERE source_table = 'person' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('person', OLD.id, OLD.project_id);
END;

CREATE TRIGGER deal_into_graph AFTER INSERT ON deal BEGIN
    DELETE FROM graph_queue WHERE source_table = 'deal' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('deal', NEW.id, NEW.project_id);
END;
CREATE TRIGGER deal_changed_in_graph AFTER UPDATE ON deal
WHEN (OLD.title, OLD.stage, OLD.company_name, OLD.account_external_id, OLD.owner_name, OLD.amount, OLD.currency,
      OLD.deleted_at)
  IS NOT (NEW.title, NEW.stage, NEW.company_name, NEW.account_external_id, NEW.owner_name, NEW.amount,
          NEW.currency, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'deal' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('deal', NEW.id, NEW.project_id);
END;
CREATE TRIGGER deal_out_of_graph AFTER DELETE ON deal BEGIN
    DELETE FROM graph_queue WHERE source_table = 'deal' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('deal', OLD.id, OLD.project_id);
END;

CREATE TRIGGER task_into_graph AFTER INSERT ON task BEGIN
    DELETE FROM graph_queue WHERE source_table = 'task' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('task', NEW.id, NEW.project_id);
END;
CREATE TRIGGER task_changed_in_graph AFTER UPDATE ON task
WHEN (OLD.content, OLD.assignee_name, OLD.parent_external_id, OLD.deadline_at, OLD.is_completed, OLD.deleted_at)
  IS NOT (NEW.content, NEW.assignee_name, NEW.parent_external_id, NEW.deadline_at, NEW.is_completed,
          NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'task' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('task', NEW.id, NEW.project_id);
END;
CREATE TRIGGER task_out_of_graph AFTER DELETE ON task BEGIN
    DELETE FROM graph_queue WHERE source_table = 'task' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('task', OLD.id, OLD.project_id);
END;

CREATE TRIGGER issue_into_graph AFTER INSERT ON issue BEGIN
    DELETE FROM graph_queue WHERE source_table = 'issue' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('issue', NEW.id, NEW.project_id);
END;
CREATE TRIGGER issue_changed_in_graph AFTER UPDATE ON issue
WHEN (OLD.identifier, OLD.title, OLD.assignee_name, OLD.cycle_external_id, OLD.cycle_name,
      OLD.linear_project_external_id, OLD.linear_project_name, OLD.parent_external_id, OLD.state,
      OLD.due_date, OLD.deleted_at)
  IS NOT (NEW.identifier, NEW.title, NEW.assignee_name, NEW.cycle_external_id, NEW.cycle_name,
          NEW.linear_project_external_id, NEW.linear_project_name, NEW.parent_external_id, NEW.state,
          NEW.due_date, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'issue' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('issue', NEW.id, NEW.project_id);
END;
CREATE TRIGGER issue_out_of_graph AFTER DELETE ON issue BEGIN
    DELETE FROM graph_queue WHERE source_table = 'issue' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('issue', OLD.id, OLD.project_id);
END;

CREATE TRIGGER issue_relation_into_graph AFTER INSERT ON issue_relation BEGIN
    DELETE FROM graph_queue WHERE source_table = 'issue_relation' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('issue_relation', NEW.id, NEW.project_id);
END;
CREATE TRIGGER issue_relation_changed_in_graph AFTER UPDATE ON issue_relation
WHEN (OLD.type, OLD.issue_external_id, OLD.related_external_id, OLD.deleted_at)
  IS NOT (NEW.type, NEW.issue_external_id, NEW.related_external_id, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'issue_relation' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('issue_relation', NEW.id, NEW.project_id);
END;
CREATE TRIGGER issue_relation_out_of_graph AFTER DELETE ON issue_relation BEGIN
    DELETE FROM graph_queue WHERE source_table = 'issue_relation' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('issue_relation', OLD.id, OLD.project_id);
END;

CREATE TRIGGER cycle_into_graph AFTER INSERT ON cycle BEGIN
    DELETE FROM graph_queue WHERE source_table = 'cycle' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('cycle', NEW.id, NEW.project_id);
END;
CREATE TRIGGER cycle_changed_in_graph AFTER UPDATE ON cycle
WHEN (OLD.number, OLD.name, OLD.starts_at, OLD.ends_at, OLD.deleted_at)
  IS NOT (NEW.number, NEW.name, NEW.starts_at, NEW.ends_at, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'cycle' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('cycle', NEW.id, NEW.project_id);
END;
CREATE TRIGGER cycle_out_of_graph AFTER DELETE ON cycle BEGIN
    DELETE FROM graph_queue WHERE source_table = 'cycle' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('cycle', OLD.id, OLD.project_id);
END;

CREATE TRIGGER work_project_into_graph AFTER INSERT ON work_project BEGIN
    DELETE FROM graph_queue WHERE source_table = 'work_project' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('work_project', NEW.id, NEW.project_id);
END;
CREATE TRIGGER work_project_changed_in_graph AFTER UPDATE ON work_project
WHEN (OLD.name, OLD.lead_name, OLD.state, OLD.target_date, OLD.deleted_at)
  IS NOT (NEW.name, NEW.lead_name, NEW.state, NEW.target_date, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'work_project' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('work_project', NEW.id, NEW.project_id);
END;
CREATE TRIGGER work_project_out_of_graph AFTER DELETE ON work_project BEGIN
    DELETE FROM graph_queue WHERE source_table = 'work_project' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('work_project', OLD.id, OLD.project_id);
END;

CREATE TRIGGER crm_account_into_graph AFTER INSERT ON crm_account BEGIN
    DELETE FROM graph_queue WHERE source_table = 'crm_account' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('crm_account', NEW.id, NEW.project_id);
END;
CREATE TRIGGER crm_account_changed_in_graph AFTER UPDATE ON crm_account
WHEN (OLD.name, OLD.domain, OLD.stage, OLD.owner_username, OLD.deleted_at)
  IS NOT (NEW.name, NEW.domain, NEW.stage, NEW.owner_username, NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'crm_account' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('crm_account', NEW.id, NEW.project_id);
END;
CREATE TRIGGER crm_account_out_of_graph AFTER DELETE ON crm_account BEGIN
    DELETE FROM graph_queue WHERE source_table = 'crm_account' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('crm_account', OLD.id, OLD.project_id);
END;

CREATE TRIGGER crm_opportunity_into_graph AFTER INSERT ON crm_opportunity BEGIN
    DELETE FROM graph_queue WHERE source_table = 'crm_opportunity' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('crm_opportunity', NEW.id, NEW.project_id);
END;
CREATE TRIGGER crm_opportunity_changed_in_graph AFTER UPDATE ON crm_opportunity
WHEN (OLD.title, OLD.stage, OLD.account_id, OLD.owner_username, OLD.amount_estimate, OLD.currency, OLD.deleted_at)
  IS NOT (NEW.title, NEW.stage, NEW.account_id, NEW.owner_username, NEW.amount_estimate, NEW.currency,
          NEW.deleted_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'crm_opportunity' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('crm_opportunity', NEW.id, NEW.project_id);
END;
CREATE TRIGGER crm_opportunity_out_of_graph AFTER DELETE ON crm_opportunity BEGIN
    DELETE FROM graph_queue WHERE source_table = 'crm_opportunity' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('crm_opportunity', OLD.id, OLD.project_id);
END;

CREATE TRIGGER offer_into_graph AFTER INSERT ON offer BEGIN
    DELETE FROM graph_queue WHERE source_table = 'offer' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('offer', NEW.id, NEW.project_id);
END;
CREATE TRIGGER offer_changed_in_graph AFTER UPDATE ON offer
WHEN (OLD.title, OLD.status, OLD.account_id, OLD.opportunity_id, OLD.total, OLD.currency)
  IS NOT (NEW.title, NEW.status, NEW.account_id, NEW.opportunity_id, NEW.total, NEW.currency)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'offer' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('offer', NEW.id, NEW.project_id);
END;
CREATE TRIGGER offer_out_of_graph AFTER DELETE ON offer BEGIN
    DELETE FROM graph_queue WHERE source_table = 'offer' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('offer', OLD.id, OLD.project_id);
END;

CREATE TRIGGER offer_document_into_graph AFTER INSERT ON offer_document BEGIN
    DELETE FROM graph_queue WHERE source_table = 'offer_document' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('offer_document', NEW.id, NEW.project_id);
END;
CREATE TRIGGER offer_document_changed_in_graph AFTER UPDATE ON offer_document
WHEN (OLD.offer_id, OLD.format, OLD.rendered_at)
  IS NOT (NEW.offer_id, NEW.format, NEW.rendered_at)
BEGIN
    DELETE FROM graph_queue WHERE source_table = 'offer_document' AND source_pk = NEW.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('offer_document', NEW.id, NEW.project_id);
END;
CREATE TRIGGER offer_document_out_of_graph AFTER DELETE ON offer_document BEGIN
    DELETE FROM graph_queue WHERE source_table = 'offer_document' AND source_pk = OLD.id;
    INSERT INTO graph_queue (source_table, source_pk, project_id) VALUES ('offer_document', OLD.id, OLD.project_id);
END;

-- What was synced before this table was made.
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'contact', id, project_id FROM contact;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'conversation', id, project_id FROM conversation;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'company', id, project_id FROM company;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'person', id, project_id FROM person;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'deal', id, project_id FROM deal;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'task', id, project_id FROM task;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'issue', id, project_id FROM issue;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'issue_relation', id, project_id FROM issue_relation;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'cycle', id, project_id FROM cycle;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'work_project', id, project_id FROM work_project;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'crm_account', id, project_id FROM crm_account;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'crm_opportunity', id, project_id FROM crm_opportunity;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'offer', id, project_id FROM offer;
INSERT INTO graph_queue (source_table, source_pk, project_id) SELECT 'offer_document', id, project_id FROM offer_document;
