"""The tables of a log, for telling what does not belong there."""

import sqlite3

from cds.audit.offline.verdict import Verdict

FORMAT = (0x4B434453, 4)
"""The application id and the version of the tables, as the file's head gives them."""
TABLES = {
    "entry": "seq id envelope about",
    "section": "seq name salt content",
    "knowledge": "sha256 package",
    "shown": "seq subject_key user_key at topic drug route fingerprint",
    "node": "level idx hash",
    "checkpoint": "minute size note",
    "card": "seq uuid position",
    "suggestion": "seq uuid card",
    "feedback": "seq said card_seq card subject_key user_key outcome at topic drug route fingerprint",
}
"""Each table with its columns."""


def check_tables(connection: sqlite3.Connection, verdict: Verdict) -> bool:
    """Look for damage and for what does not belong in the file; return whether it can be read as a log."""
    for (found,) in connection.execute("PRAGMA integrity_check"):
        if found != "ok":
            verdict.problem(f"The file is damaged: {found}.")
    head = tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if head != FORMAT:
        verdict.problem(
            f"The file's head says format {head[0]:08x} version {head[1]}, not {FORMAT[0]:08x} {FORMAT[1]}."
        )
    others = connection.execute(
        "SELECT type, name FROM sqlite_schema WHERE type <> 'index' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    )
    for kind, name in others.fetchall():
        if kind != "table" or name not in TABLES:
            verdict.problem(f"The file holds a {kind} that does not belong there: {name}.")
    complete = True
    for table, columns in TABLES.items():
        found = " ".join(row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})"))
        if found != columns:
            verdict.problem(f"The table {table} has the columns {found or 'of none'}, not {columns}.")
        complete = complete and set(columns.split()) <= set(found.split())
    return complete
