"""Guess whether a command only reads; what is not known to read is taken to change something."""

import re
from collections.abc import Sequence
from typing import Final

from runbook_nb.authoring.known_commands import READING
from runbook_nb.authoring.lint.rules.commands import changes

QUERIES: Final = frozenset(
    ["promql", "logql", "kql", "kusto", "spl", "influxql", "traceql", "splunk"]
)
DATABASES: Final = frozenset(
    ["sql", "psql", "mysql", "postgres", "postgresql", "plsql", "tsql", "sqlite", "cql"]
)
PROGRAMS: Final = frozenset(
    ["python", "python3", "py", "pycon", "ruby", "redis", "redis-cli", "mongo", "mongosh"]
)
_READ_SQL = re.compile(
    r"^(?:select|show|explain|describe|desc|with|use|\\[dlcx?+]\S*)\b|^--", re.IGNORECASE
)
_WRITES_FILE = re.compile(r"(?<![<>=&-])>{1,2}(?!\s*(?:/dev/null|&))\s*[\w./~$\"']")
_WRAPPED = re.compile(r"^(?:(?:sudo|time|watch)(?:\s+-\S+(?:\s+\d+)?)*\s+|[A-Z_]+=\S*\s+)+")
_QUOTED = re.compile(r"'[^']*'|\"(?:(?!\$\()[^\"`])*\"")
_PARTS = re.compile(r"&&|\|\||[;|&`\n]|\$\(")


def guess(lines: Sequence[str], language: str) -> tuple[bool, str]:
    """Return whether lines are guessed to read only, and why."""
    if language in QUERIES:
        return True, "a query of a monitoring system"
    joined = "\n".join(lines).replace("\\\n", " ")
    statements = [line.strip() for line in joined.split("\n")]
    statements = [line for line in statements if line and not line.startswith(("#", "--", "//"))]
    for line in statements:
        if what := changes(line):
            return False, f"because of `{what.replace('`', '')}`"
    if language in DATABASES or (statements and _READ_SQL.match(statements[0])):
        reads = all(map(_READ_SQL.match, _statements(joined)))
        return reads, "a query" if reads else "it is not known to read only"
    if language in PROGRAMS or not all(map(_only_reads, statements)):
        return False, "it is not known to read only"
    return True, "each part is known to read only"


def _statements(sql: str) -> list[str]:
    bare = re.sub(r"--.*", "", sql)
    return [part.strip() for part in bare.split(";") if part.strip()]


def _only_reads(line: str) -> bool:
    if _WRITES_FILE.search(_QUOTED.sub('""', line)):
        return False
    line = _WRAPPED.sub("", line)
    if line.startswith(("psql", "mysql")):
        return bool(READING.match(line)) and "|" not in line and line.count(";") <= 1
    parts = (part.strip(" )\"'") for part in _PARTS.split(_QUOTED.sub('""', line)))
    return all(READING.match(_WRAPPED.sub("", part)) for part in parts if part)
