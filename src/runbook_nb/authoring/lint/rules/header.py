"""Rules about the front matter, the header and log written from it, and freshness."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.finding import Severity
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import near
from runbook_nb.runbook.document import ENDS_COMMENT
from runbook_nb.runbook.pair import HEADER, LOG
from runbook_nb.runbook.policy import ORGANISATION

TEXTS: Final = ("name", "title", "scenario", "severity", "owner", "last_updated")
LISTS: Final = ("alerts", "escalation", "related", "validations")


@rule(
    "front-matter",
    reason="List, search, alert routing and the header are made from the front matter.",
    fix="Fill it in as the template's front matter shows.",
)
def front_matter(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Fill in the front matter, under the name of the file."""
    for key in (*TEXTS, *(("group",) if shelf.policy.groups else ())):
        if not page.said(key).strip():
            message = f"`{key}` is missing, empty or no text (quote dates and numbers)."
            yield Flaw(line=page.front_line(key), message=message)
    if not isinstance(page.front.get("last_validated", ""), str):
        message = "`last_validated` is no text: quote the date."
        yield Flaw(line=page.front_line("last_validated"), message=message)
    for key in LISTS:
        kind = dict if key == "validations" else str
        rows = page.front.get(key)
        if not isinstance(rows, list) or not all(isinstance(row, kind) for row in rows):
            yield Flaw(line=page.front_line(key), message=f"`{key}` is missing or no list.")
    if page.said("name") not in ("", page.name):
        message = f"`name` is {page.said('name')!r}, the file is {page.path.name!r}."
        yield Flaw(line=page.front_line("name"), message=message)


@rule(
    "hidden",
    reason="A forge shows what stands behind the end of a comment, above the runbook.",
    fix=f"Write it without {ENDS_COMMENT}, or take `hide_notebook_metadata` out.",
)
def hidden(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Keep what ends a comment out of a front matter that stands in one."""
    pairing = page.document.metadata.get("jupytext")
    if not isinstance(pairing, Mapping) or not pairing.get("hide_notebook_metadata"):
        return
    for number, line in enumerate(page.lines[: page.body_line - 2], start=1):
        if ENDS_COMMENT in line:
            yield Flaw(line=number, message=f"The front matter holds {ENDS_COMMENT}.")


@rule(
    "classified",
    reason="Severity sets who is woken, the group where the runbook is listed.",
    fix=f"Use a severity and a group of {ORGANISATION}, or add it there.",
)
def classified(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Use a severity and a group of the organisation."""
    policy = shelf.policy
    if policy.problem:
        fix = f"Mend {ORGANISATION}."
        yield Flaw(line=page.front_line("severity"), message=policy.problem, fix=fix)
        return
    for key, known in (("severity", policy.severity_names), ("group", policy.groups)):
        if known and page.said(key) and page.said(key) not in known:
            message = f"`{key}` is {page.said(key)!r}. {near(page.said(key), known)}"
            yield Flaw(line=page.front_line(key), message=message)


@rule(
    "header",
    reason="The header is what people see; the front matter is what machines see.",
    fix="Change the front matter, then run `runbook fmt`.",
)
def header(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Show in title and table at the top what the front matter says."""
    top = page.cells[0].line - 1 if page.cells else len(page.lines)
    shown = {number: line for number, line in page.body() if number < top}
    values = (
        *(page.front.get(key, "") for key in ("scenario", "severity", "owner", "last_updated")),
        page.front.get("last_validated") or "never",
    )
    rows = [f"| **{name}** | {value} |" for name, value in zip(HEADER, values, strict=True)]
    titled = [heading for heading in page.headings if heading.level == 1]
    for wanted in [f"# {page.front.get('title', '')} — Operational Procedure", *rows]:
        if wanted not in shown.values():
            start = wanted.split(" ")[:2] if wanted.startswith("#") else wanted.split("** |")[:1]
            line = _line_like(shown, start[0], page.body_line)
            yield Flaw(line=line, message=f"The header does not say `{wanted}`.")
    for heading in titled[1:]:
        yield Flaw(line=heading.line, message=f"'{heading.text}' is a second title.")


@rule(
    "log",
    reason="The log is the proof that the runbook works; drills write it, nobody else.",
    fix="Take hand-written rows out, then run `runbook fmt`; `runbook validate` adds rows.",
)
def log(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Show in the Validation Log the front matter's validations, row by row."""
    line, lines = page.section("Validation Log")
    shown = [(line + n, text) for n, text in enumerate(lines) if text.startswith("|")][2:]
    wanted = [_row(row) for row in _validations(page)]
    if [text for _, text in shown] != wanted:
        first = next(
            (n for (n, text), row in zip(shown, wanted, strict=False) if text != row), line
        )
        message = f"The log shows {len(shown)} rows; the front matter has {len(wanted)}, or others."
        yield Flaw(line=first, message=message)


@rule(
    "dates",
    reason="A date that cannot be true hides how old a runbook is.",
    fix="Write dates as '2026-11-23'. `last_validated` is written by `runbook validate` alone.",
)
def dates(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Write dates that are dates, not in the future, and Last Validated as the log has it."""
    for key in ("last_updated", "last_validated"):
        said = page.said(key)
        found = _date(said)
        if said and found is None:
            yield Flaw(line=page.front_line(key), message=f"`{key}` is {said!r}, which is no date.")
        elif found and found > shelf.today:
            message = f"`{key}` is {said}, and today is {shelf.today}."
            yield Flaw(line=page.front_line(key), message=message)
    logged = [str(row.get("date", "")) for row in _validations(page)]
    if page.said("last_validated") and page.said("last_validated") not in logged:
        message = f"`last_validated` is {page.said('last_validated')}; the log has no such row."
        yield Flaw(line=page.front_line("last_validated"), message=message)


@rule(
    "fresh",
    reason="A runbook that no drill proved lately may no longer fit the platform.",
    fix="Run `runbook validate`; only a passing drill renews the date.",
    severity=Severity.WARNING,
)
def fresh(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Validate within the review period of the organisation."""
    line = page.front_line("last_validated")
    validated = _date(page.said("last_validated"))
    if validated is None:
        yield Flaw(line=line, message="This runbook was never validated.")
        return
    period = shelf.policy.review_period(page.said("severity"))
    age = (shelf.today - validated).days
    if age > period:
        message = f"It was validated {age} days ago; its review period is {period} days."
        yield Flaw(line=line, message=message)


def _validations(page: RunbookPage) -> list[dict[str, Any]]:
    rows = page.front.get("validations")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _row(validation: dict[str, Any]) -> str:
    return "| " + " | ".join(str(validation.get(name.lower(), "")) for name in LOG) + " |"


def _line_like(shown: dict[int, str], start: str, default: int) -> int:
    return next((number for number, line in shown.items() if line.startswith(start)), default)


def _date(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None
