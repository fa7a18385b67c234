"""Hold runbooks to the rules."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.finding import Finding
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rules import RULES
from runbook_nb.authoring.lint.rules.template import readable
from runbook_nb.errors import RunbookNotFoundError, near


def lint(paths: Sequence[Path], *, folder: Path, now: datetime) -> list[Finding]:
    """Return what is wrong with these runbooks, by file and line.

    A path is a Markdown file, its notebook, a folder of them, or the name of one in ``folder``;
    none means all of ``folder``, which also holds what they are compared with: the other runbooks,
    ``contacts.toml`` and ``drills``. Nothing of a runbook is run. ``now`` is aware; it decides what
    is fresh. Raises RunbookNotFoundError for a path that does not exist.
    """
    shelf = Shelf.read(folder, now.date())
    pages = [_page(path, shelf) for path in _files(paths or [folder], folder)]
    return sorted(
        (finding for page in pages for finding in _findings(page, shelf)),
        key=lambda found: (found.path, found.line, found.rule, found.message),
    )


def _files(paths: Sequence[Path], folder: Path) -> list[Path]:
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.glob("*.md")) if file.stem != "README")
            files.update(dict.fromkeys(inside))
            continue
        named = len(path.parts) == 1
        here, there = path.with_suffix(".md"), folder / path.with_suffix(".md")
        found = here if here.is_file() or not named else there
        if found.is_file():
            files[found] = None
        else:
            known = (file.stem for file in found.parent.glob("*.md"))
            message = f"No runbook at {path}. {near(path.stem, known)}"
            raise RunbookNotFoundError(message)
    return list(files)


def _page(path: Path, shelf: Shelf) -> RunbookPage:
    """Return the page that was read already, unless the file is another of the same name."""
    known = shelf.pages.get(path.stem)
    if known is not None and known.path.resolve() == path.resolve():
        known.path = path
        return known
    return RunbookPage.read(path)


def _findings(page: RunbookPage, shelf: Shelf) -> Iterator[Finding]:
    for rule in (readable,) if page.problem else RULES:
        for flaw in rule.find(page, shelf):
            yield Finding(
                path=flaw.path or page.path,
                line=flaw.line,
                rule=rule.name,
                message=flaw.message.strip(),
                fix=flaw.fix or rule.fix,
                severity=flaw.severity or rule.severity,
            )
