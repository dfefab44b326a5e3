-- The search index: chunks of text, their words, their vectors. Everything here can be made again from ctower.db.

CREATE TABLE index_state (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    filled     INTEGER NOT NULL DEFAULT 0 CHECK (filled IN (0, 1)),  -- every text of ctower.db was queued once
    queue_seq  INTEGER NOT NULL DEFAULT 0,  -- the newest line of its queue that was done
    chunk_size INTEGER NOT NULL DEFAULT 0,  -- how the chunks here were cut
    min_embed  INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO index_state (id) VALUES (1);

CREATE TABLE chunk (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  TEXT NOT NULL,
    source_type TEXT NOT NULL CHECK (source_type IN ('message', 'issue', 'comment', 'deal', 'note', 'task')),
    source_pk   TEXT NOT NULL,
    chunk_index INTEGER NOT NULL CHECK (chunk_index >= 0),
    source_ref  TEXT,
    parent_pk   TEXT,  -- the conversation of a message, the issue of a comment, the record of a note
    contact_pk  TEXT,
    title       TEXT,
    text        TEXT NOT NULL,
    text_hash   TEXT NOT NULL,
    terms       TEXT NOT NULL,  -- what the text says, as questions are held against it
    words_hash  TEXT NOT NULL,  -- of all that the word index holds of it
    tokens      INTEGER NOT NULL CHECK (tokens > 0),
    language    TEXT NOT NULL CHECK (language IN ('ru', 'en')),
    private     INTEGER NOT NULL CHECK (private IN (0, 1)),
    occurred_at TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    metadata    TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
    embeddable  INTEGER NOT NULL CHECK (embeddable IN (0, 1)),
    embedded_by INTEGER NOT NULL DEFAULT 0,  -- the model whose vector it has, 0: none
    attempts    INTEGER NOT NULL DEFAULT 0,
    error       TEXT,
    UNIQUE (source_type, source_pk, chunk_index)
) STRICT;
CREATE INDEX chunk_waiting ON chunk (embedded_by, id) WHERE embeddable = 1;
CREATE INDEX chunk_waiting_of_project ON chunk (project_id, embedded_by, id) WHERE embeddable = 1;
CREATE INDEX chunk_recent ON chunk (project_id, source_type, occurred_at);
CREATE INDEX chunk_of_parent ON chunk (parent_pk, occurred_at);
CREATE INDEX chunk_of_text ON chunk (text_hash);

-- Where a text may be searched for: its project, its group of kinds and whether it is private.
CREATE TABLE scope (
    id         INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL,
    name       TEXT NOT NULL CHECK (name IN ('messages', 'issues', 'deals')),
    private    INTEGER NOT NULL CHECK (private IN (0, 1)),
    chunks     INTEGER NOT NULL DEFAULT 0 CHECK (chunks >= 0),
    UNIQUE (project_id, name, private)
) STRICT;

-- Stems, numbers, days and sounds of names. Each term is kept with the number of its scope before it («7xпроект»),
-- so that a search walks nothing of other projects and a term's frequency is that within the scope. No places are
-- kept: how near words stand is read from the chunk's own terms.
CREATE VIRTUAL TABLE words USING fts5(
    terms, content = '', contentless_delete = 1, detail = 'none', tokenize = 'ascii'
);
CREATE VIRTUAL TABLE words_of USING fts5vocab(words, row);

-- Every word once, and its trigrams: where a misspelt word or a part of a code finds what was meant.
CREATE TABLE term (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
CREATE VIRTUAL TABLE term_grams USING fts5(text, content = 'term', content_rowid = 'id', tokenize = 'trigram');
CREATE TRIGGER term_added AFTER INSERT ON term BEGIN
    INSERT INTO term_grams (rowid, text) VALUES (NEW.id, NEW.text);
END;

-- Each model has a table of its own for coarse vectors, `vector_<id>`, made when the model is first used.
CREATE TABLE model (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    model_id  TEXT NOT NULL,
    dimension INTEGER NOT NULL CHECK (dimension BETWEEN 8 AND 4096),
    languages TEXT NOT NULL CHECK (json_type(languages) = 'array'),  -- in which it was measured to be good
    folder    TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('building', 'serving')),
    measured  TEXT CHECK (json_type(measured) = 'object')  -- of which files, and how good in each language
) STRICT;

-- Exact vectors as int8 with the scale of each, by model and text: the same text is embedded once.
CREATE TABLE embedding (
    id        INTEGER PRIMARY KEY,
    model     INTEGER NOT NULL REFERENCES model (id) ON DELETE CASCADE,
    text_hash TEXT NOT NULL,
    scale     REAL NOT NULL,
    vector    BLOB NOT NULL,
    UNIQUE (model, text_hash)
) STRICT;
