"""SQL on any named database of the environment, PostgreSQL or SQLite, reading only.

Settings of a database of any name: ``reader``, a reference to a PostgreSQL connection string whose
role should only read, or ``sqlite:///path``.
"""

from runbook_nb.packs.everyday.systems.sql.probes import count, rows, value

__all__ = ["count", "rows", "value"]
