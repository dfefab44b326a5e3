-- What is offered: offers with their lines, who approved what, and the documents made of them.

CREATE TABLE offer (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    account_id TEXT REFERENCES crm_account (id) ON DELETE SET NULL,
    opportunity_id TEXT REFERENCES crm_opportunity (id) ON DELETE SET NULL,
    title TEXT NOT NULL CHECK (title <> ''),
    currency TEXT NOT NULL CHECK (length(currency) BETWEEN 1 AND 6),
    subtotal REAL NOT NULL CHECK (subtotal BETWEEN 0 AND 1e9),
    discount_pct REAL NOT NULL CHECK (discount_pct BETWEEN 0 AND 100),
    total REAL NOT NULL CHECK (total BETWEEN 0 AND subtotal),
    granted_pct REAL NOT NULL CHECK (granted_pct BETWEEN 0 AND 100),  -- the whole discount, lines included
    status TEXT NOT NULL CHECK (status IN ('draft', 'approved', 'sent', 'signed', 'rejected')),
    language TEXT NOT NULL CHECK (language IN ('ru', 'en')),
    valid_until TEXT CHECK (length(valid_until) = 10),
    notes TEXT NOT NULL DEFAULT '',
    version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1),
    previous_id TEXT REFERENCES offer (id) ON DELETE SET NULL,  -- the rejected one this is made of
    generated_doc_url TEXT,
    evidence_refs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence_refs)),
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    sent_at TEXT,
    signed_at TEXT,
    rejected_at TEXT,
    CHECK ((status = 'signed') = (signed_at IS NOT NULL)),
    CHECK ((status = 'rejected') = (rejected_at IS NOT NULL))
) STRICT;
CREATE INDEX offer_recent ON offer (project_id, updated_at DESC, id);
CREATE INDEX offer_by_status ON offer (project_id, status, updated_at DESC, id);
CREATE INDEX offer_signed ON offer (project_id, signed_at) WHERE signed_at IS NOT NULL;
CREATE INDEX offer_of_account ON offer (account_id, updated_at DESC) WHERE account_id IS NOT NULL;
CREATE INDEX offer_of_opportunity ON offer (opportunity_id, updated_at DESC) WHERE opportunity_id IS NOT NULL;
CREATE UNIQUE INDEX offer_next_version ON offer (previous_id) WHERE previous_id IS NOT NULL;

CREATE TABLE offer_item (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    offer_id TEXT NOT NULL REFERENCES offer (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('package', 'addon', 'discount')),
    title TEXT NOT NULL CHECK (title <> ''),
    description TEXT NOT NULL DEFAULT '',
    quantity REAL NOT NULL CHECK (quantity > 0),
    unit_price REAL NOT NULL CHECK (unit_price >= 0),
    amount REAL NOT NULL,  -- below zero in a discount line
    UNIQUE (offer_id, position)
) STRICT;
CREATE INDEX offer_item_project ON offer_item (project_id);

-- `request_id` is that of the audit line.
CREATE TABLE offer_approval (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    offer_id TEXT NOT NULL REFERENCES offer (id) ON DELETE CASCADE,
    action TEXT NOT NULL CHECK (action IN ('approve_discount', 'approve_send', 'sign', 'reject')),
    actor_username TEXT NOT NULL,
    comment TEXT,
    evidence_refs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence_refs)),
    request_id TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX offer_approval_of ON offer_approval (offer_id, id);
CREATE INDEX offer_approval_project ON offer_approval (project_id);

-- A document is made again when what it says (`source_hash`) differs; that of a sent offer never is.
CREATE TABLE offer_document (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_scope_id TEXT NOT NULL,
    offer_id TEXT NOT NULL REFERENCES offer (id) ON DELETE CASCADE,
    format TEXT NOT NULL CHECK (format IN ('pdf', 'markdown')),
    source_hash TEXT NOT NULL,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    pages INTEGER NOT NULL DEFAULT 0,
    content BLOB NOT NULL,
    frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1)),
    rendered_at TEXT NOT NULL,
    UNIQUE (offer_id, format)
) STRICT;
CREATE INDEX offer_document_project ON offer_document (project_id);
