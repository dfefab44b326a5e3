-- What it adds up to: figures of days kept from changed rows only, money by currency, what was spent, snapshots.

-- What changed and has not been counted anew: a day, a conversation from a moment on, a deal or an opportunity.
CREATE TABLE analytics_due (
    id         INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('message_day', 'talk', 'issue_day', 'deal', 'opportunity')),
    pk         TEXT NOT NULL,
    since      TEXT NOT NULL DEFAULT '',
    UNIQUE (project_id, kind, pk)
) STRICT;

CREATE TABLE daily_figure (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    day              TEXT NOT NULL CHECK (length(day) = 10),
    inbound          INTEGER NOT NULL DEFAULT 0,  -- from clients; private notes count nowhere
    outbound         INTEGER NOT NULL DEFAULT 0,
    agreements       INTEGER NOT NULL DEFAULT 0,  -- messages sifted as possible agreements
    answers          INTEGER NOT NULL DEFAULT 0,  -- answers given on this day, one for what was written in a row
    answer_minutes   REAL NOT NULL DEFAULT 0,
    issues_created   INTEGER NOT NULL DEFAULT 0,
    issues_completed INTEGER NOT NULL DEFAULT 0,
    lead_hours       REAL NOT NULL DEFAULT 0,     -- of the issues completed on this day, from created to completed
    UNIQUE (project_id, day),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE TABLE daily_contact (  -- who was talked with on a day, to count people of a period once
    id                INTEGER PRIMARY KEY,
    project_id        TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    day               TEXT NOT NULL,
    contact_global_id TEXT NOT NULL,
    UNIQUE (project_id, day, contact_global_id)
) STRICT;

CREATE TABLE client_burst (  -- what a client wrote in a row, and when the team answered it
    id                     INTEGER PRIMARY KEY,
    project_id             TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    conversation_global_id TEXT NOT NULL,
    contact_global_id      TEXT,
    message_global_id      TEXT NOT NULL,  -- the first of the row
    started_at             TEXT NOT NULL,
    messages               INTEGER NOT NULL CHECK (messages > 0),
    answered_at            TEXT,
    minutes                REAL CHECK (minutes >= 0),
    UNIQUE (conversation_global_id, started_at),
    CHECK ((answered_at IS NULL) = (minutes IS NULL))
) STRICT;
CREATE INDEX client_burst_unanswered ON client_burst (project_id, started_at) WHERE answered_at IS NULL;
CREATE INDEX client_burst_answered ON client_burst (project_id, answered_at) WHERE answered_at IS NOT NULL;

-- Every deal once: the CRM's deals with what was edited here, and opportunities that exist only here.
CREATE TABLE revenue_line (
    id                  INTEGER PRIMARY KEY,
    project_id          TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    source              TEXT NOT NULL CHECK (source IN ('attio', 'manual')),
    source_ref          TEXT NOT NULL,
    title               TEXT NOT NULL,
    stage               TEXT NOT NULL
        CHECK (stage IN ('discovery', 'qualified', 'proposal', 'negotiation', 'won', 'lost')),
    amount              REAL NOT NULL,
    currency            TEXT NOT NULL,  -- '' where nothing says which
    probability         REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
    expected_close_date TEXT,
    closed_at           TEXT,
    created_at          TEXT NOT NULL,
    UNIQUE (project_id, source, source_ref),
    CHECK ((stage IN ('won', 'lost')) = (closed_at IS NOT NULL))
) STRICT;
CREATE INDEX revenue_line_open ON revenue_line (project_id, expected_close_date) WHERE closed_at IS NULL;
CREATE INDEX revenue_line_closed ON revenue_line (project_id, closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE pipeline_figure (
    id          INTEGER PRIMARY KEY,
    project_id  TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    source      TEXT NOT NULL CHECK (source IN ('attio', 'manual')),
    stage       TEXT NOT NULL,
    currency    TEXT NOT NULL,
    deals       INTEGER NOT NULL,
    amount      REAL NOT NULL,
    expected    REAL NOT NULL,           -- Σ amount · probability
    dated       INTEGER NOT NULL,        -- how many have an expected close date
    close_days  REAL NOT NULL,           -- Σ of those dates as Julian days
    UNIQUE (project_id, source, stage, currency)
) STRICT;

CREATE TABLE cost_entry (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    entry_type       TEXT NOT NULL CHECK (entry_type IN ('budget', 'cost', 'revenue')),
    amount           REAL NOT NULL CHECK (amount > 0),
    currency         TEXT NOT NULL CHECK (length(currency) BETWEEN 2 AND 6),
    date             TEXT NOT NULL CHECK (length(date) = 10),
    note             TEXT,
    created_by       TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX cost_entry_recent ON cost_entry (project_id, date DESC, created_at DESC, id);

CREATE TABLE daily_money (
    id          INTEGER PRIMARY KEY,
    project_id  TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    day         TEXT NOT NULL,
    currency    TEXT NOT NULL,
    won_count   INTEGER NOT NULL DEFAULT 0,
    won_amount  REAL NOT NULL DEFAULT 0,
    lost_count  INTEGER NOT NULL DEFAULT 0,
    lost_amount REAL NOT NULL DEFAULT 0,
    costs       REAL NOT NULL DEFAULT 0,
    budget      REAL NOT NULL DEFAULT 0,
    revenue     REAL NOT NULL DEFAULT 0,
    UNIQUE (project_id, day, currency)
) STRICT;

CREATE TABLE daily_completeness (  -- the last measurement of each connector on a day
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    day              TEXT NOT NULL,
    connector        TEXT NOT NULL,
    completeness_pct REAL NOT NULL,
    missing_count    INTEGER NOT NULL,
    duplicate_count  INTEGER NOT NULL,
    UNIQUE (project_id, day, connector)
) STRICT;

CREATE TABLE revenue_snapshot (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    period_start     TEXT NOT NULL,
    horizon_days     INTEGER NOT NULL CHECK (horizon_days IN (30, 60, 90)),
    currency         TEXT NOT NULL,
    pipeline_amount  REAL NOT NULL,
    commit_amount    REAL NOT NULL,
    won_amount       REAL NOT NULL,
    expected_revenue REAL NOT NULL,
    costs_amount     REAL NOT NULL,
    gross_margin     REAL NOT NULL,
    by_currency      TEXT NOT NULL CHECK (json_type(by_currency) = 'array'),
    generated_at     TEXT NOT NULL,
    UNIQUE (project_id, period_start, horizon_days),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;

CREATE TABLE delivery_snapshot (
    id               INTEGER PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    period_start     TEXT NOT NULL,
    period_end       TEXT NOT NULL,
    open_issues      INTEGER NOT NULL,
    overdue_issues   INTEGER NOT NULL,
    created_issues   INTEGER NOT NULL,
    completed_issues INTEGER NOT NULL,
    throughput       REAL NOT NULL,     -- completed a week
    lead_time_days   REAL,              -- from created to completed
    created_at       TEXT NOT NULL,
    UNIQUE (project_id, period_start, period_end),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX delivery_snapshot_newest ON delivery_snapshot (project_id, created_at DESC);

CREATE TABLE comms_snapshot (
    id                   INTEGER PRIMARY KEY,
    project_id           TEXT NOT NULL,
    account_scope_id     TEXT NOT NULL,
    period_start         TEXT NOT NULL,
    period_end           TEXT NOT NULL,
    inbound_messages     INTEGER NOT NULL,
    outbound_messages    INTEGER NOT NULL,
    unique_contacts      INTEGER NOT NULL,
    answered             INTEGER NOT NULL,
    unanswered           INTEGER NOT NULL,
    avg_response_minutes REAL,
    median_response_minutes REAL,
    created_at           TEXT NOT NULL,
    UNIQUE (project_id, period_start, period_end),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX comms_snapshot_newest ON comms_snapshot (project_id, created_at DESC);

-- Ways into the rooms' tables by day.
CREATE INDEX issue_created ON issue (project_id, created_at) WHERE deleted_at IS NULL;
CREATE INDEX issue_completed ON issue (project_id, completed_at) WHERE completed_at IS NOT NULL AND deleted_at IS NULL;
-- Unfinished issues are counted from this index alone.
CREATE INDEX issue_unfinished ON issue (project_id, due_date, deleted_at, archived_at, completed_at, canceled_at)
    WHERE deleted_at IS NULL AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL;
CREATE INDEX issue_stuck ON issue (project_id, due_date) WHERE blocked = 1;
CREATE INDEX deal_by_external ON deal (project_id, external_id);
CREATE INDEX evidence_item_table ON evidence_item (project_id, source_table);

-- Every row that changes says which day, conversation or deal is to be counted anew; a project that is being
-- deleted takes its lines along.
CREATE TRIGGER message_counted AFTER INSERT ON message BEGIN
    INSERT INTO analytics_due (project_id, kind, pk) VALUES (NEW.project_id, 'message_day', substr(NEW.created_at, 1, 10))
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
    INSERT INTO analytics_due (project_id, kind, pk, since)
    VALUES (NEW.project_id, 'talk', NEW.conversation_global_id, NEW.created_at)
    ON CONFLICT (project_id, kind, pk) DO UPDATE SET since = min(since, excluded.since);
END;
CREATE TRIGGER message_recounted AFTER UPDATE ON message
WHEN (OLD.content, OLD.private, OLD.deleted_at, OLD.created_at, OLD.message_type, OLD.sender_type,
      OLD.contact_global_id, OLD.conversation_global_id)
  IS NOT (NEW.content, NEW.private, NEW.deleted_at, NEW.created_at, NEW.message_type, NEW.sender_type,
          NEW.contact_global_id, NEW.conversation_global_id)
BEGIN
    INSERT INTO analytics_due (project_id, kind, pk)
    VALUES (OLD.project_id, 'message_day', substr(OLD.created_at, 1, 10)),
           (NEW.project_id, 'message_day', substr(NEW.created_at, 1, 10))
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
    INSERT INTO analytics_due (project_id, kind, pk, since)
    VALUES (OLD.project_id, 'talk', OLD.conversation_global_id, min(OLD.created_at, NEW.created_at)),
           (NEW.project_id, 'talk', NEW.conversation_global_id, min(OLD.created_at, NEW.created_at))
    ON CONFLICT (project_id, kind, pk) DO UPDATE SET since = min(since, excluded.since);
END;
CREATE TRIGGER message_uncounted AFTER DELETE ON message
WHEN EXISTS (SELECT 1 FROM project WHERE id = OLD.project_id)
BEGIN
    INSERT INTO analytics_due (project_id, kind, pk) VALUES (OLD.project_id, 'message_day', substr(OLD.created_at, 1, 10))
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
    INSERT INTO analytics_due (project_id, kind, pk, since)
    VALUES (OLD.project_id, 'talk', OLD.conversation_global_id, OLD.created_at)
    ON CONFLICT (project_id, kind, pk) DO UPDATE SET since = min(since, excluded.since);
END;

CREATE TRIGGER issue_counted AFTER INSERT ON issue BEGIN
    INSERT INTO analytics_due (project_id, kind, pk)
    SELECT NEW.project_id, 'issue_day', substr(value, 1, 10)
    FROM json_each(json_array(NEW.created_at, NEW.completed_at)) WHERE value IS NOT NULL
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;
CREATE TRIGGER issue_recounted AFTER UPDATE ON issue
WHEN (OLD.created_at, OLD.completed_at, OLD.deleted_at) IS NOT (NEW.created_at, NEW.completed_at, NEW.deleted_at)
BEGIN
    INSERT INTO analytics_due (project_id, kind, pk)
    SELECT NEW.project_id, 'issue_day', substr(value, 1, 10)
    FROM json_each(json_array(OLD.created_at, OLD.completed_at, NEW.created_at, NEW.completed_at))
    WHERE value IS NOT NULL
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;
CREATE TRIGGER issue_uncounted AFTER DELETE ON issue
WHEN EXISTS (SELECT 1 FROM project WHERE id = OLD.project_id)
BEGIN
    INSERT INTO analytics_due (project_id, kind, pk)
    SELECT OLD.project_id, 'issue_day', substr(value, 1, 10)
    FROM json_each(json_array(OLD.created_at, OLD.completed_at)) WHERE value IS NOT NULL
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;

CREATE TRIGGER deal_counted AFTER INSERT ON deal BEGIN
    INSERT INTO analytics_due (project_id, kind, pk) VALUES (NEW.project_id, 'deal', NEW.external_id)
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;
CREATE TRIGGER deal_recounted AFTER UPDATE ON deal
WHEN (OLD.stage, OLD.amount, OLD.currency, OLD.probability, OLD.expected_close_date, OLD.title, OLD.deleted_at)
  IS NOT (NEW.stage, NEW.amount, NEW.currency, NEW.probability, NEW.expected_close_date, NEW.title, NEW.deleted_at)
BEGIN
    INSERT INTO analytics_due (project_id, kind, pk) VALUES (NEW.project_id, 'deal', NEW.external_id)
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;
CREATE TRIGGER deal_uncounted AFTER DELETE ON deal
WHEN EXISTS (SELECT 1 FROM project WHERE id = OLD.project_id)
BEGIN
    INSERT INTO analytics_due (project_id, kind, pk) VALUES (OLD.project_id, 'deal', OLD.external_id)
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;

-- An opportunity mirrored from a deal is counted with the deal.
CREATE TRIGGER crm_opportunity_counted AFTER INSERT ON crm_opportunity BEGIN
    INSERT INTO analytics_due (project_id, kind, pk)
    SELECT NEW.project_id, 'opportunity', NEW.id
    UNION ALL SELECT NEW.project_id, 'deal', NEW.external_ref WHERE NEW.external_ref IS NOT NULL
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;
CREATE TRIGGER crm_opportunity_recounted AFTER UPDATE ON crm_opportunity
WHEN (OLD.title, OLD.stage, OLD.stage_changed_at, OLD.amount_estimate, OLD.currency, OLD.probability,
      OLD.expected_close_date, OLD.external_ref, OLD.source_system, OLD.deleted_at)
  IS NOT (NEW.title, NEW.stage, NEW.stage_changed_at, NEW.amount_estimate, NEW.currency, NEW.probability,
          NEW.expected_close_date, NEW.external_ref, NEW.source_system, NEW.deleted_at)
BEGIN
    INSERT INTO analytics_due (project_id, kind, pk)
    SELECT NEW.project_id, 'opportunity', NEW.id
    UNION ALL SELECT OLD.project_id, 'deal', OLD.external_ref WHERE OLD.external_ref IS NOT NULL
    UNION ALL SELECT NEW.project_id, 'deal', NEW.external_ref WHERE NEW.external_ref IS NOT NULL
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;
CREATE TRIGGER crm_opportunity_uncounted AFTER DELETE ON crm_opportunity
WHEN EXISTS (SELECT 1 FROM project WHERE id = OLD.project_id)
BEGIN
    INSERT INTO analytics_due (project_id, kind, pk)
    SELECT OLD.project_id, 'opportunity', OLD.id
    UNION ALL SELECT OLD.project_id, 'deal', OLD.external_ref WHERE OLD.external_ref IS NOT NULL
    ON CONFLICT (project_id, kind, pk) DO NOTHING;
END;

CREATE TRIGGER reconciliation_metric_counted AFTER INSERT ON reconciliation_metric
WHEN NEW.connector <> 'portfolio'
BEGIN
    INSERT INTO daily_completeness (project_id, day, connector, completeness_pct, missing_count, duplicate_count)
    VALUES (NEW.project_id, substr(NEW.captured_at, 1, 10), NEW.connector, NEW.completeness_pct, NEW.missing_count,
            NEW.duplicate_count)
    ON CONFLICT (project_id, day, connector) DO UPDATE SET
        completeness_pct = excluded.completeness_pct, missing_count = excluded.missing_count,
        duplicate_count = excluded.duplicate_count;
END;

-- What is there already is counted once.
INSERT INTO analytics_due (project_id, kind, pk)
SELECT DISTINCT project_id, 'message_day', substr(created_at, 1, 10) FROM message;
INSERT INTO analytics_due (project_id, kind, pk) SELECT project_id, 'talk', id FROM conversation;
INSERT INTO analytics_due (project_id, kind, pk)
SELECT project_id, 'issue_day', substr(created_at, 1, 10) FROM issue
UNION SELECT project_id, 'issue_day', substr(completed_at, 1, 10) FROM issue WHERE completed_at IS NOT NULL;
INSERT INTO analytics_due (project_id, kind, pk) SELECT DISTINCT project_id, 'deal', external_id FROM deal;
INSERT INTO analytics_due (project_id, kind, pk) SELECT project_id, 'opportunity', id FROM crm_opportunity;
INSERT INTO daily_completeness (project_id, day, connector, completeness_pct, missing_count, duplicate_count)
SELECT project_id, substr(captured_at, 1, 10), connector, completeness_pct, missing_count, duplicate_count
FROM reconciliation_metric WHERE connector <> 'portfolio'
ON CONFLICT (project_id, day, connector) DO UPDATE SET
    completeness_pct = excluded.completeness_pct, missing_count = excluded.missing_count,
    duplicate_count = excluded.duplicate_count;
