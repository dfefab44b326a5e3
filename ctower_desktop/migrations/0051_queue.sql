-- Things of the daily queue that somebody put aside: until a time, or until they change.

CREATE TABLE queue_mark (
    id         INTEGER PRIMARY KEY,
    username   TEXT NOT NULL CHECK (username <> ''),
    project_id TEXT REFERENCES project (id) ON DELETE CASCADE,  -- none: it concerns the whole tower
    kind       TEXT NOT NULL CHECK (kind IN (
        'waiting', 'signal', 'action', 'offer', 'outbound', 'issue', 'alert')),
    ref        TEXT NOT NULL CHECK (length(ref) BETWEEN 1 AND 500),
    stamp      TEXT NOT NULL,  -- how the thing stood; when it stands otherwise, the mark holds no longer
    until      TEXT,
    created_at TEXT NOT NULL,
    UNIQUE (username, kind, ref)
) STRICT;
CREATE INDEX queue_mark_project ON queue_mark (project_id);
CREATE INDEX queue_mark_age ON queue_mark (created_at);
