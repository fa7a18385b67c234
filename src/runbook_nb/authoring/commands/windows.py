"""What commands of PowerShell and of the Windows prompt do."""

import re
from typing import Final

from runbook_nb.authoring.commands.effect import READS, Judgement, changes, unknown, whole

_CMDLET: Final = re.compile(r"^([A-Za-z]+)-\w+")
_READING_VERBS: Final = frozenset(
    {"get", "test", "measure", "select", "sort", "format", "resolve", "show"}
)
_CHANGING_VERBS_WORDS: Final = """
add clear copy disable enable invoke install move new out publish register remove rename reset
restart restore resume save send set start stop suspend uninstall unregister update write
"""
_CHANGING_VERBS: Final = frozenset(_CHANGING_VERBS_WORDS.split())
# Braces, a call operator, a substitution or a redirection may do anything.
_MORE: Final = re.compile(r"[{}()&><`$;]|\.\\")
_PROMPT_READS: Final = re.compile(
    r"(?:dir|type|ping|tracert|nslookup|netstat|tasklist|systeminfo|whoami|hostname|ver|vol|findstr|"
    r"find|sc\s+query(?:ex)?|net\s+(?:view|statistics\s+\w+)|wevtutil\s+(?:qe|el|gli)|getmac|where|"
    r"ipconfig(?:\s+/(?:all|displaydns))?|route\s+print|arp\s+-a|w32tm\s+/query|cd|tree)(?:\s[^&|><]*)?$",
    re.IGNORECASE,
)
_PROMPT_CHANGES: Final = re.compile(
    r"(?:del|erase|rd|rmdir|md|mkdir|copy|xcopy|robocopy|move|ren|format|shutdown|taskkill|net\s+\w+|"
    r"sc\s+\w+|reg\s+\w+|iisreset|schtasks|diskpart|attrib|icacls|ipconfig|msiexec|setx?|start)\b",
    re.IGNORECASE,
)


def judge_powershell(text: str) -> Judgement:
    """Return what lines of PowerShell do; known to read are only plain cmdlets that get."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return whole(_line(line) for line in lines if not line.startswith("#"))


def _line(line: str) -> Judgement:
    bare = re.sub(r"'[^']*'|\"[^\"$`]*\"", "STRING", line)
    parts = [part.strip() for part in bare.split("|")]
    found = whole(map(_cmdlet, parts))
    if found.reads and _MORE.search(bare):
        return unknown("it holds more than cmdlets that get")
    return found


def _cmdlet(part: str) -> Judgement:
    found = _CMDLET.match(part)
    verb = found[1].lower() if found else ""
    if found and verb in _CHANGING_VERBS:
        return changes(part.split(maxsplit=1)[0])
    if found and verb in _READING_VERBS:
        return READS
    return unknown(f"{part.split(maxsplit=1)[0]} is not known" if part else "nothing stands there")


def judge_prompt(text: str) -> Judgement:
    """Return what lines of the Windows prompt do."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return whole(
        READS
        if _PROMPT_READS.match(line)
        else changes(line.split()[0])
        if _PROMPT_CHANGES.match(line)
        else unknown(f"{line.split()[0]} is not known")
        for line in lines
        if not line.lower().startswith(("rem ", "::"))
    )
