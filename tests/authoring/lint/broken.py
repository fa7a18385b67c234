"""The ways to break a good runbook, and what lint then finds."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbook_nb.authoring.lint import Finding, lint
from runbook_nb.runbook import pair

BAD = Path(__file__).parent / "bad"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def edits() -> list[dict[str, Any]]:
    """Return the table of ways to break a rule."""
    table: list[dict[str, Any]] = tomllib.loads((BAD / "edits.toml").read_text())["edit"]
    return table


def break_it(folder: Path, edit: dict[str, Any]) -> None:
    """Make one edit and bring the pair up to date, unless it is made by hand."""
    path = folder / edit.get("file", "trial.md")
    if edit.get("remove"):
        path.unlink()
        return
    text = path.read_text(encoding="utf-8")
    assert edit["old"] in text, f"{edit['old']!r} is not in {path.name}"
    path.write_text(text.replace(edit["old"], edit["new"], 1), encoding="utf-8")
    if path.name == "trial.md" and not edit.get("by_hand"):
        pair.write(path)


def found_in(folder: Path) -> list[Finding]:
    """Return what lint finds in the runbook."""
    return lint([folder / "trial.md"], folder=folder, now=NOW)
