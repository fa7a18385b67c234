"""What a foreign runbook says about itself: title, owner, severity, alerts, whom to call."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from runbook_nb.authoring.importer.sections import CONTACTS, RELATED, SYMPTOMS, SourceSection
from runbook_nb.authoring.importer.source import Source
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock
from runbook_nb.authoring.scaffold.classification import severity_of
from runbook_nb.runbook.blanks import FILL_IN
from runbook_nb.runbook.policy import Policy

_SAID = (
    r"^[\s>|*_#-]*(?:{words})[\s*_]*[:=|][\s*_|\"']*"
    r"(?P<said>[^|\n]+?)[\s*_|\"',]*$(?!\n\s*\|?\s*:?-)"
)
_TITLE = re.compile(_SAID.format(words="title|name"), re.IGNORECASE | re.MULTILINE)
_OWNER = re.compile(
    _SAID.format(words="owner|owners|owning team|owned by|team|maintainer|service owner"),
    re.IGNORECASE | re.MULTILINE,
)
_ALERT = re.compile(
    _SAID.format(words="alert|alerts|alertname|alert name"), re.IGNORECASE | re.MULTILINE
)
_ALERT_NAME = re.compile(r"^[A-Z][a-z0-9]+(?:[A-Z]+[a-z0-9]*)+$")
_SEVERITY_SAID = re.compile(_SAID.format(words="severity|priority"), re.IGNORECASE | re.MULTILINE)
_SEVERITY = re.compile(r"\bsev(?:erity)?[-\s_:|*]{0,6}([1-4])\b", re.IGNORECASE)
_E_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b")
_CHANNEL = re.compile(r"(?<![\w(/&#`\[])#[a-z][a-z0-9-]{2,}\b")
_SENTENCE = re.compile(r"^(.{10,}?[.!?])(?:\s|$)")
_LINK = re.compile(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)")
_LISTED = re.compile(r"^\s*[-*+]\s+[`*\[]*([a-z][a-z0-9_]+)\b", re.MULTILINE)
_SHORTEST_ALERT, _MOST_ALERTS = 8, 4
_LONGEST = 160  # characters of a scenario in the header


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What goes into the front matter; what the source does not say begins with ``Fill in:``."""

    title: str
    scenario: str
    severity: str
    owner: str
    alerts: tuple[str, ...]
    escalation: tuple[str, ...]
    related: tuple[str, ...]


def read_facts(
    source: Source,
    *,
    title: str,
    parts: Sequence[SourceSection],
    policy: Policy,
    known: Set[str],
    alerts: Sequence[str] = (),
) -> Facts:
    """Read the facts from front matter, tables and lists; ``known`` runbooks may be related.

    ``alerts`` are the names of the team's rules; those that the source names are its alerts.
    """
    front = "\n".join(source.front)
    everything = f"{front}\n{source.text}"
    said = _first(_TITLE, front)
    name = title or said or source.name.rpartition(".")[0].replace("_", " ").replace("-", " ")
    named = [word.strip("`[]\"' ") for word in re.split("[,;]", _first(_ALERT, everything))]
    return Facts(
        title=_line(name) or "Untitled",
        scenario=_scenario(parts) or f"{FILL_IN} what fails, and what users see.",
        severity=severity_of(_severity(everything, policy), policy),
        owner=_line(_first(_OWNER, everything)) or f"{FILL_IN} the squad that owns it",
        alerts=_alerts([*named, _line(name)], source, alerts),
        escalation=_called(parts),
        related=tuple(
            dict.fromkeys(name for name in _LISTED.findall(_under(parts, RELATED)) if name in known)
        ),
    )


def _alerts(said: Sequence[str], source: Source, known: Sequence[str]) -> tuple[str, ...]:
    """Return the alerts that a source says it answers, and those of the rules that it names.

    A page that names many rules lists them, and answers none by that.
    """
    text = f"{source.name}\n{source.text}"
    ruled = [
        name
        for name in dict.fromkeys(known)
        if name in said
        or (
            len(name) >= _SHORTEST_ALERT and re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text)
        )
    ]
    named = ruled if len(ruled) <= _MOST_ALERTS else [name for name in ruled if name in said]
    return tuple(dict.fromkeys([*filter(_ALERT_NAME.match, said), *named]))


def _severity(text: str, policy: Policy) -> str:
    """Return the organisation's severity that a text names: ``Severity: P2``, ``SEV-2``."""
    said = _first(_SEVERITY_SAID, text)
    for name in policy.severity_names:
        if re.search(rf"\b{re.escape(name)}\b", said, re.IGNORECASE):
            return name
    found = _SEVERITY.search(text)
    name = f"SEV{found[1]}" if found else ""
    return name if name in policy.severity_names else ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found["said"] if found else ""


def _line(text: str) -> str:
    """Return text as one line that a table can hold."""
    words = " ".join(_LINK.sub(r"\1", text).replace("|", "/").split())
    return "" if not any(map(str.isalnum, words)) else words


def _scenario(parts: Sequence[SourceSection]) -> str:
    """Return the first sentence about what fails."""
    for part in parts:
        for block in part.blocks if part.target == SYMPTOMS else ():
            if said := _sentence(block):
                return said
    return ""


def _sentence(block: SourceBlock) -> str:
    paragraph: list[str] = []
    for line in block.lines if block.kind is BlockKind.TEXT else ():
        if not line.strip() and paragraph:
            break
        if line[:1].isalnum() or (paragraph and line.strip()):
            paragraph.append(line)
    words = _line(" ".join(paragraph)).replace("*", "").replace("`", "")
    found = _SENTENCE.match(words)
    said = found[1] if found else words
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"


def _called(parts: Sequence[SourceSection]) -> tuple[str, ...]:
    listed = _under(parts, CONTACTS)
    return tuple(dict.fromkeys([*_E_MAIL.findall(listed), *_CHANNEL.findall(listed)]))


def _under(parts: Sequence[SourceSection], target: str) -> str:
    return "\n".join(block.text for part in parts if part.target == target for block in part.blocks)
