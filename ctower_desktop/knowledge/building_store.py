"""One step of building: the oldest changed rows are read and said anew, all in one transaction."""

from __future__ import annotations

import apsw

from ctower_desktop.knowledge import source_store, store
from ctower_desktop.knowledge.model import Told
from ctower_desktop.knowledge.rules import told


def step(db: apsw.Connection, limit: int, at: str) -> int:
    """Read the oldest changed rows; return how many lines of the queue that took."""
    lines, rows = source_store.waiting(db, limit)
    said = []
    for line in lines:
        row = rows[line.source_table].get(line.source_pk)
        if row is None:
            gone = Told(source_key=f"{line.source_table}:{line.source_pk}", project_id=line.project_id)
            said.append(gone)
        else:
            whose = {"project_id": row.project_id, "scope": row.account_scope_id, "at": row.at}
            said.append(told(line.source_table, row.pk, row.data, **whose))
    store.replace(db, said, at)
    source_store.done(db, lines)
    return len(lines)
