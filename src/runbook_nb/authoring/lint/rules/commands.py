"""Which commands change something, as far as their words tell.

A line is taken apart once and its words are looked up; a pattern that tries them all in turn would
hang on a long line.
"""

import re
from collections.abc import Sequence
from typing import Final

from runbook_nb.authoring.known_commands import ALWAYS_CHANGING, CHANGING, SHOWING, WRAPPERS

_SQL: Final = re.compile(
    r"\b(?:insert\s+into|update\s+[\w.\"]+\s+set|delete\s+from|drop\s+[a-z]+|truncate\s+[\w.\"]+|"
    r"alter\s+[a-z]+|create\s+[a-z]+|grant\s+\w+|revoke\s+\w+|refresh\s+materialized|reindex\s+\w+|"
    r"vacuum\b|call\s+\w+\s*\(|merge\s+into|copy\s+\S+\s+from|do\s+\$\$|lock\s+table)"
    r"|\b(?:pg_(?:terminate|cancel)_backend|cron\.(?:un)?schedule|pg_reload_conf|setval)\s*\(",
    re.IGNORECASE,
)
_PROMPT: Final = re.compile(r"^\s*(?:[$#>%]|[\w-]+[=-]?[#>])\s+")
_LONGEST: Final = 2_000  # characters; a longer line is no command that anybody copies


def changes(line: str) -> str:
    """Return the part of a line that would change something if it were run; empty if none."""
    line = _PROMPT.sub("", line[:_LONGEST])
    sql = _SQL.search(line)
    if sql and (not line[: sql.start()].strip(" (") or _reaches_a_database(line)):
        return " ".join(sql[0].split())
    for part in re.split(r"[|;&`]+|\$\(", line):
        words = _unwrapped(part.replace('"', " ").replace("'", " ").split())
        if words and (what := _changing(words)):
            return what
    return ""


def _reaches_a_database(line: str) -> bool:
    first = line.split(maxsplit=1)[0].lower()
    return first == "select" or re.search(r"\bpsql\b", line) is not None


def _unwrapped(words: list[str]) -> list[str]:
    """Drop wrappers, their flags and settings of variables from the start of a command."""
    wrapped = False
    for place, word in enumerate(words):
        wrapped = wrapped or word in WRAPPERS
        setting = re.fullmatch(r"[A-Z_]+=\S*", word) is not None
        if word not in WRAPPERS and not setting and not (wrapped and word.startswith("-")):
            return words[place:]
    return []


def _changing(words: Sequence[str]) -> str:
    program, rest = words[0].rpartition("/")[2], words[1:]
    if program in ALWAYS_CHANGING:
        return " ".join((program, *rest[:1]))
    known = CHANGING.get(program, frozenset())
    for word in rest if not SHOWING.intersection(rest) else ():
        if word in known or (program == "curl" and word.startswith("--data")):
            return f"{program} … {word}" if word != rest[0] else f"{program} {word}"
        if program in ("aws", "gcloud") and word.partition("-")[0] in known:
            return f"{program} … {word}"
    return ""
