"""What the rules know beside one runbook: the other runbooks, contacts, drills, calls, the date."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path

from runbook_nb.authoring.lint.call_registry import CallRegistry
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.runbook.contacts import contacts_or_problem
from runbook_nb.runbook.drill import Drill, drills_in
from runbook_nb.runbook.policy import policy_or_default


class Shelf:
    """A folder of runbooks, read once; ``pages`` are by name."""

    def __init__(self, folder: Path, pages: Mapping[str, RunbookPage], today: date) -> None:
        self.folder, self.pages, self.today = folder, pages, today
        self.known = CallRegistry()
        self.contacts, self.policy = contacts_or_problem(folder), policy_or_default(folder)

    @classmethod
    def read(cls, folder: Path, today: date) -> "Shelf":
        """Read all runbooks of a folder; a README is none."""
        paths = (path for path in sorted(folder.glob("*.md")) if path.stem != "README")
        return cls(folder, {path.stem: RunbookPage.read(path) for path in paths}, today)

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

    def drills(self, runbook: str) -> list[Drill]:
        """Return the drills of a runbook."""
        return self._drills.get(runbook, [])

    @cached_property
    def _drills(self) -> dict[str, list[Drill]]:
        found: dict[str, list[Drill]] = {}
        for drill in drills_in(self.folder):
            found.setdefault(drill.runbook, []).append(drill)
        return found
