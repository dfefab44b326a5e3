-- Telling it: digests of days and weeks, what of them was mailed, report templates and the reports made from them,
-- and which messages speak of agreements.

CREATE TABLE daily_digest (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    digest_date      TEXT NOT NULL CHECK (digest_date = date(digest_date)),
    summary          TEXT NOT NULL CHECK (json_type(summary) = 'object'),
    evidence_refs    TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    UNIQUE (project_id, digest_date),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX daily_digest_owner ON daily_digest (project_id, account_scope_id);

CREATE TABLE weekly_digest (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    week_start       TEXT NOT NULL CHECK (week_start = date(week_start) AND strftime('%w', week_start) = '1'),
    summary          TEXT NOT NULL CHECK (json_type(summary) = 'object'),
    evidence_refs    TEXT NOT NULL CHECK (json_type(evidence_refs) = 'array'),
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    UNIQUE (project_id, week_start),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX weekly_digest_owner ON weekly_digest (project_id, account_scope_id);

-- One row for each digest that was due to be mailed to one person: what became of it, never twice the same.
-- `sending` is written before the mail leaves; found again after a crash it is `uncertain` and not sent anew.
CREATE TABLE digest_mail (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('daily_plan', 'daily_results', 'weekly_plan', 'weekly_results')),
    due_date         TEXT NOT NULL CHECK (due_date = date(due_date)),
    recipient        TEXT NOT NULL CHECK (recipient <> ''),
    status           TEXT NOT NULL CHECK (status IN ('sending', 'sent', 'failed', 'uncertain')),
    detail           TEXT NOT NULL DEFAULT '',
    attempts         INTEGER NOT NULL DEFAULT 1 CHECK (attempts >= 1),
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    UNIQUE (project_id, kind, due_date, recipient),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX digest_mail_owner ON digest_mail (project_id, account_scope_id);
CREATE INDEX digest_mail_recent ON digest_mail (project_id, created_at DESC);

CREATE TABLE report_template (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    name             TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description      TEXT,
    sections         TEXT NOT NULL CHECK (json_type(sections) = 'array' AND sections <> '[]'),
    format           TEXT NOT NULL CHECK (format IN ('json', 'html')),
    schedule         TEXT,
    active           INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    builtin          TEXT,     -- which of the shipped templates this is
    scheduled_since  TEXT NOT NULL,  -- times of the schedule up to here are done with
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    UNIQUE (project_id, name),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX report_template_owner ON report_template (project_id, account_scope_id);

-- A report is a snapshot: once completed or failed it never changes (see the trigger).
CREATE TABLE generated_report (
    id               TEXT PRIMARY KEY,
    project_id       TEXT NOT NULL,
    account_scope_id TEXT NOT NULL,
    template_id      TEXT REFERENCES report_template (id) ON DELETE SET NULL,
    template_name    TEXT NOT NULL,
    date_range_start TEXT NOT NULL CHECK (date_range_start = date(date_range_start)),
    date_range_end   TEXT NOT NULL CHECK (date_range_end = date(date_range_end)),
    data             TEXT CHECK (data IS NULL OR json_type(data) = 'object'),
    format           TEXT NOT NULL CHECK (format IN ('json', 'html')),
    status           TEXT NOT NULL CHECK (status IN ('pending', 'generating', 'completed', 'failed')),
    error            TEXT CHECK (length(error) <= 2000),
    scheduled_for    TEXT,  -- the time of the schedule it was made for; none when somebody asked
    created_at       TEXT NOT NULL,
    CHECK (date_range_start <= date_range_end),
    CHECK ((status = 'completed') = (data IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    FOREIGN KEY (project_id, account_scope_id) REFERENCES project (id, account_scope_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX generated_report_recent ON generated_report (project_id, created_at DESC, id);
CREATE INDEX generated_report_owner ON generated_report (project_id, account_scope_id);
CREATE INDEX generated_report_template ON generated_report (template_id, created_at DESC, id);
CREATE INDEX generated_report_status ON generated_report (project_id, status, created_at DESC, id);
CREATE UNIQUE INDEX generated_report_slot ON generated_report (template_id, scheduled_for)
    WHERE scheduled_for IS NOT NULL;

CREATE TRIGGER generated_report_is_a_snapshot BEFORE UPDATE ON generated_report
WHEN OLD.status IN ('completed', 'failed')
    AND (OLD.data, OLD.status, OLD.error, OLD.date_range_start, OLD.date_range_end, OLD.template_name, OLD.created_at)
     IS NOT (NEW.data, NEW.status, NEW.error, NEW.date_range_start, NEW.date_range_end, NEW.template_name,
             NEW.created_at)
BEGIN
    SELECT raise(ABORT, 'a finished report never changes');
END;

-- Messages that may speak of an agreement, kept by triggers so that nobody searches the history for them.
-- The words here only sift (in both cases: LIKE folds Latin letters alone); agreements.py decides.
CREATE TABLE agreement_candidate (
    message_id TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    said_at    TEXT NOT NULL
) STRICT;
CREATE INDEX agreement_candidate_recent ON agreement_candidate (project_id, said_at DESC, message_id);

CREATE TRIGGER agreement_said AFTER INSERT ON message
WHEN NEW.deleted_at IS NULL AND NEW.private = 0 AND NEW.message_type <> '2' AND (
    NEW.content LIKE '%agree%' OR NEW.content LIKE '%commit%' OR NEW.content LIKE '%deadline%'
    OR instr(NEW.content, 'оговор') OR instr(NEW.content, 'ОГОВОР') OR instr(NEW.content, 'оглас')
    OR instr(NEW.content, 'ОГЛАС') OR instr(NEW.content, 'слови') OR instr(NEW.content, 'СЛОВИ')
    OR instr(NEW.content, 'срок') OR instr(NEW.content, 'Срок') OR instr(NEW.content, 'СРОК')
    OR instr(NEW.content, 'едлайн') OR instr(NEW.content, 'ЕДЛАЙН'))
BEGIN
    INSERT INTO agreement_candidate (message_id, project_id, said_at)
    VALUES (NEW.id, NEW.project_id, NEW.created_at);
END;
INSERT INTO agreement_candidate (message_id, project_id, said_at)
SELECT id, project_id, created_at FROM message
WHERE deleted_at IS NULL AND private = 0 AND message_type <> '2' AND (
    content LIKE '%agree%' OR content LIKE '%commit%' OR content LIKE '%deadline%'
    OR instr(content, 'оговор') OR instr(content, 'ОГОВОР') OR instr(content, 'оглас')
    OR instr(content, 'ОГЛАС') OR instr(content, 'слови') OR instr(content, 'СЛОВИ')
    OR instr(content, 'срок') OR instr(content, 'Срок') OR instr(content, 'СРОК')
    OR instr(content, 'едлайн') OR instr(content, 'ЕДЛАЙН'));

CREATE TRIGGER agreement_edited AFTER UPDATE ON message
WHEN (OLD.content, OLD.private, OLD.deleted_at, OLD.created_at, OLD.message_type)
  IS NOT (NEW.content, NEW.private, NEW.deleted_at, NEW.created_at, NEW.message_type)
BEGIN
    DELETE FROM agreement_candidate WHERE message_id = NEW.id;
    INSERT INTO agreement_candidate (message_id, project_id, said_at)
    SELECT NEW.id, NEW.project_id, NEW.created_at
    WHERE NEW.deleted_at IS NULL AND NEW.private = 0 AND NEW.message_type <> '2' AND (
        NEW.content LIKE '%agree%' OR NEW.content LIKE '%commit%' OR NEW.content LIKE '%deadline%'
        OR instr(NEW.content, 'оговор') OR instr(NEW.content, 'ОГОВОР') OR instr(NEW.content, 'оглас')
        OR instr(NEW.content, 'ОГЛАС') OR instr(NEW.content, 'слови') OR instr(NEW.content, 'СЛОВИ')
        OR instr(NEW.content, 'срок') OR instr(NEW.content, 'Срок') OR instr(NEW.content, 'СРОК')
        OR instr(NEW.content, 'едлайн') OR instr(NEW.content, 'ЕДЛАЙН'));
END;

-- What people said, private notes and the vendor's own remarks left out: counted and listed from this index alone.
CREATE INDEX message_spoken ON message (project_id, created_at DESC, id)
    WHERE deleted_at IS NULL AND private = 0 AND message_type <> '2';
CREATE INDEX contact_mailable ON contact (project_id, lower(email))
    WHERE deleted_at IS NULL AND email IS NOT NULL AND email <> '';
CREATE INDEX worker_run_failed ON worker_run (project_id, started_at) WHERE status = 'failed';
CREATE INDEX job_run_failed ON job_run (project_id, started_at) WHERE status = 'failed';
CREATE INDEX connector_error_age ON connector_error (project_id, connector, updated_at);
