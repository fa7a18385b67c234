"""What lint found: one finding for each broken rule and place, as text and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How much a finding matters: an error misleads at night, a warning will one day."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One broken rule: where, what is wrong there, and what to do about it.

    ``line`` is that of the Markdown file, or of the drill where ``path`` is one; it counts from 1.
    """

    path: Path
    line: int
    rule: str
    message: str
    fix: str
    severity: Severity


def as_text(findings: Sequence[Finding], *, root: Path | None = None) -> str:
    """Return a line for each finding: ``file:line rule message``, its fix at the end."""
    return "".join(
        f"{shown(found.path, root)}:{found.line} {found.rule} "
        f"{'warning: ' if found.severity is Severity.WARNING else ''}{found.message} {found.fix}\n"
        for found in findings
    )


def as_json(findings: Sequence[Finding], *, root: Path | None = None) -> str:
    """Return all findings as a JSON list of objects with the fields of ``Finding``."""
    rows = [{**asdict(found), "path": shown(found.path, root)} for found in findings]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def shown(path: Path, root: Path | None) -> str:
    """Return a path with forward slashes, relative to ``root`` where it lies in it."""
    if root is not None and path.resolve().is_relative_to(root.resolve()):
        path = path.resolve().relative_to(root.resolve())
    return path.as_posix()
