"""Prompts: what stands before a command that was typed, and which language it tells."""

import re
from dataclasses import dataclass
from typing import Final

from runbook_nb.authoring.commands.calls import KNOWN

_SHELL: Final = (
    r"\[?[\w.-]+@[\w.-]+[^$#%>\n]{0,80}[$#%>]|(?:ba|z|k)?sh-\d[\d.]*[$#]|[\w.-]{1,40}:[~/][^\s$#%>]{0,80}\s?[$#%]|"
    r"[~/][\w./-]{0,40} [$#]|[$%\u276f\u279c]"
)
# Each kind of prompt with the language behind it.
_KINDS: Final = (
    ("mysql", r"(?:mysql|MariaDB \[[^\]\n]{1,60}\])>"),
    ("sqlite", r"sqlite>"),
    ("psql", r"[\w-]{1,40}[=-][#>]"),
    ("sql", r"(?:SQL|cqlsh(?::\w+)?|hive)>"),
    ("redis", r"(?:redis(?: [\w.:-]+)?|[\d.]+:\d+)(?:\[\d+\])?>"),
    ("mongo", r"(?:mongo|\w+:(?:PRIMARY|SECONDARY))>"),
    ("python", r">>>|In \[\d+\]:"),
    ("powershell", r"PS [^>\n]{0,80}>"),
    ("cmd", r"[A-Z]:\\[^>\n]{0,80}>"),
    ("bash", _SHELL),
)
_PROMPT: Final = re.compile(
    r"^\s*(?P<prompt>(?:\([\w.-]+\)\s*)?(?:"
    + "|".join(f"(?P<{language}>{pattern})" for language, pattern in _KINDS)
    + r"))\s+(?P<command>\S.*)$"
)
_ROOT: Final = re.compile(r"^\s*(?P<prompt>#)\s+(?P<command>\S.*)$")
_QUOTED: Final = re.compile(r"^(?P<prompt>>)\s+(?P<command>\S.*)$")
# Words of a sentence, which stand in no command.
_PROSE_WORDS: Final = """
the a an if it this that these those and to of is are your our each every when which should must
will then because before after its their out until while
"""
_PROSE: Final = frozenset(_PROSE_WORDS.split())


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A line that was typed behind a prompt, and the language that the prompt tells."""

    prompt: str
    command: str
    language: str


def typed(line: str) -> Typed | None:
    """Return what stands behind a prompt; None for a line without one."""
    found = _PROMPT.match(line)
    if found is None:
        return None
    language = next(name for name, _ in _KINDS if found[name])
    return Typed(prompt=found["prompt"], command=found["command"], language=language)


def typed_by_root(line: str) -> Typed | None:
    """Return what stands behind ``#`` or ``>``, if it begins like a command and is no sentence."""
    found = _ROOT.match(line) or _QUOTED.match(line)
    if found is None or not begins_like_a_command(found["command"]):
        return None
    return Typed(prompt=found["prompt"], command=found["command"], language="bash")


def begins_like_a_command(line: str) -> bool:
    """Tell whether a line begins with a known program, and is no sentence about it."""
    words = line.split()
    if not words:
        return False
    while words[1:] and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words.pop(0)
    first = words[0].rpartition("/")[2] if words[0].startswith("/") else words[0]
    if first not in KNOWN and not first.startswith("mkfs."):
        return words[0].startswith("/etc/init.d/")
    if _PROSE.intersection(words[1:]) and not re.search(r"['\"|;&]|\s--?\w", line):
        return False
    return not re.search(r"[a-z]{2}[.:,!?]$", line) or len(words) == 1


def without_prompt(line: str) -> str:
    """Return a line as it was typed, without the prompt before it."""
    found = typed(line) or typed_by_root(line)
    return found.command if found else line
