"""What the rules know beside one runbook: the other runbooks, contacts, drills, calls, the date."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from runbook_nb.authoring.lint.call_registry import Known
from runbook_nb.authoring.lint.page import Page
from runbook_nb.runbook.contacts import contacts_or_problem
from runbook_nb.runbook.policy import policy_or_default

CONTROL: Final = "none"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A drill's file: its fault, what it says, or why it cannot be read."""

    path: Path
    fault: str
    text: str
    says: Mapping[str, Any]
    problem: str = ""

    def line_of(self, word: object) -> int:
        """Return the first line that holds a word in quotes; 1 if none does."""
        place = self.text.find(json.dumps(word, ensure_ascii=False))
        return self.text.count("\n", 0, max(place, 0)) + 1


class Shelf:
    """A folder of runbooks, read once; ``pages`` are by name."""

    def __init__(self, folder: Path, pages: Mapping[str, Page], today: date) -> None:
        self.folder, self.pages, self.today = folder, pages, today
        self.known = Known()
        self.contacts, self.policy = contacts_or_problem(folder), policy_or_default(folder)

    @classmethod
    def read(cls, folder: Path, today: date) -> "Shelf":
        """Read all runbooks of a folder; a README is none."""
        paths = (path for path in sorted(folder.glob("*.md")) if path.stem != "README")
        return cls(folder, {path.stem: Page.read(path) for path in paths}, today)

    @cached_property
    def names(self) -> frozenset[str]:
        """The runbooks that may be pointed to: those here, and those that are planned."""
        return frozenset((*self.pages, *self.policy.planned_names))

    @cached_property
    def retired(self) -> frozenset[str]:
        """The names of archived runbooks."""
        return frozenset(path.stem for path in (self.folder / "archived").glob("*.md"))

    @cached_property
    def answering(self) -> dict[str, list[str]]:
        """The names of the runbooks that answer each alert."""
        found: dict[str, list[str]] = {}
        for name, page in self.pages.items():
            for alert in dict.fromkeys(page.strings("alerts")):
                found.setdefault(alert, []).append(name)
        return found

    def experiments(self, runbook: str) -> list[Experiment]:
        """Return the drills of a runbook."""
        return self._experiments.get(runbook, [])

    @cached_property
    def _experiments(self) -> dict[str, list[Experiment]]:
        found: dict[str, list[Experiment]] = {}
        for path in sorted((self.folder / "drills").glob("*.json")):
            runbook, _, fault = path.stem.partition(".")
            found.setdefault(runbook, []).append(_experiment(path, fault))
        return found


def _experiment(path: Path, fault: str) -> Experiment:
    try:
        text = path.read_text(encoding="utf-8")
        says = json.loads(text)
    except (OSError, ValueError) as error:
        return Experiment(path=path, fault=fault, text="", says={}, problem=str(error))
    problem = "" if isinstance(says, dict) else "it is no JSON object"
    return Experiment(
        path=path, fault=fault, text=text, says=says if not problem else {}, problem=problem
    )
