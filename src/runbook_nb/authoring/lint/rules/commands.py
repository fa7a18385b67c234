"""Which commands change something, as far as their words tell.

A line is taken apart once and its words are looked up; a pattern that tries them all in turn would
hang on a long line.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_PROGRAMS: Final = """
rm rmdir dd kill pkill killall truncate shutdown reboot chmod chown mkfs dropdb createdb pg_restore
"""
_ALWAYS: Final = frozenset(_PROGRAMS.split())
_FLY: Final = "restart deploy scale destroy stop start suspend set unset update clone import"
_KUBECTL: Final = (
    "delete apply scale rollout patch edit drain cordon uncordon replace create set annotate label "
    "exec taint"
)
_CLOUD: Final = (
    "rm cp mv delete put update terminate create deploy restore modify remove set reset stop start"
)
_SERVICE: Final = "start stop restart reload disable enable kill"
_CHANGING: Final[Mapping[str, frozenset[str]]] = {
    program: frozenset(words.split())
    for programs, words in {
        "systemctl service launchctl": _SERVICE,
        "kubectl oc": _KUBECTL,
        "helm": "upgrade rollback uninstall install",
        "fly flyctl": _FLY,
        "supabase": "reset push up repair deploy set unset restore delete down",
        "vercel": "deploy rollback promote rm remove add redeploy --prod",
        "docker podman": "rm rmi stop kill restart run exec up down prune",
        "git": "push reset revert clean rebase checkout",
        "terraform tofu pulumi": "apply destroy up import",
        "aws gcloud gsutil az": _CLOUD,
        "redis-cli": "flushall flushdb del set expire",
        "alembic prisma rails": "upgrade downgrade migrate deploy reset flush db:migrate",
        "curl": "-XPOST -XPUT -XPATCH -XDELETE POST PUT PATCH DELETE -d -F -T --form --json",
    }.items()
    for program in programs.split()
    for words in (words,)
}
_READING: Final = frozenset({"status", "history", "list", "--dry-run", "--dry-run=client"})
# These only name what follows; the command is behind them.
_WRAPPERS: Final = frozenset({"sudo", "xargs", "time", "nohup", "env", "exec", "then", "do"})
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
        wrapped = wrapped or word in _WRAPPERS
        setting = re.fullmatch(r"[A-Z_]+=\S*", word) is not None
        if word not in _WRAPPERS and not setting and not (wrapped and word.startswith("-")):
            return words[place:]
    return []


def _changing(words: Sequence[str]) -> str:
    program, rest = words[0].rpartition("/")[2], words[1:]
    if program in _ALWAYS:
        return " ".join((program, *rest[:1]))
    known = _CHANGING.get(program, frozenset())
    for word in rest if not _READING.intersection(rest) else ():
        if word in known or (program == "curl" and word.startswith("--data")):
            return f"{program} … {word}" if word != rest[0] else f"{program} {word}"
        if program in ("aws", "gcloud") and word.partition("-")[0] in known:
            return f"{program} … {word}"
    return ""
