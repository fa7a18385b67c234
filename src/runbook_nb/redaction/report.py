"""What was masked in an incident's folder: counted by file, place and kind, without the values.

It is read from the marks that masking leaves, so it covers every process that wrote there.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_MARK: Final = re.compile(r"\[(masked(?:: ([a-z -]{1,40}))?|withheld: [^\]]{1,80})\]")


@dataclass(frozen=True, kw_only=True)
class Masked:
    """How often one kind of secret was masked at one place of one file."""

    file: str
    place: str
    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class RedactionReport:
    """Everything that was masked, in the order of files and places."""

    masked: tuple[Masked, ...] = ()

    @property
    def total(self) -> int:
        """How often anything was masked."""
        return sum(each.count for each in self.masked)


def report_of(folder: Path) -> RedactionReport:
    """Count the marks in the timeline and the executed notebooks of an incident."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for file, place, text in _places(folder):
        for match in _MARK.finditer(text):
            counts[file, place, _kind(match)] += 1
    return RedactionReport(
        masked=tuple(
            Masked(file=file, place=place, kind=kind, count=count)
            for (file, place, kind), count in counts.items()
        )
    )


def _kind(match: re.Match[str]) -> str:
    return "withheld" if match[1].startswith("withheld") else match[2] or "known value"


def _places(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Go through all texts with the file and the place where they stand."""
    timeline = folder / "timeline.jsonl"
    if timeline.is_file():
        lines = timeline.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            yield timeline.name, f"event {number}", line
    for path in sorted((folder / "runs").glob("*.ipynb")):
        try:
            notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            cells = list(notebook["cells"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        for number, cell in enumerate(cells, start=1):
            yield path.name, f"cell {number}", json.dumps(cell, ensure_ascii=False)
        yield path.name, "metadata", json.dumps(notebook.get("metadata"), ensure_ascii=False)
