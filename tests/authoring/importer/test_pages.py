"""Pages of very different shapes: how many get a check, and that no command is lost or belied."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from drafting_kept import NOW

from runbook_nb.authoring.commands import Effect
from runbook_nb.authoring.importer import draft, import_all, parse_source, sources_of
from runbook_nb.authoring.importer.checks import Offers
from runbook_nb.errors import RunbookNotFoundError
from runbook_nb.runbook.pair import out_of_date
from runbook_nb.runbook.runbook import Runbook

LABELS = {"reads": Effect.READS, "changes": Effect.CHANGES, "unknown": Effect.UNKNOWN}
_PAGE = re.compile(r"^=== ([\w.]+)\n(.*?)^---\n(.*?)(?=^=== [\w.]+$|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page with the commands that stand in it, and what each does."""

    name: str
    text: str
    commands: tuple[tuple[Effect, str], ...]


def pages() -> Iterator[Page]:
    """Return the pages of the file beside this one."""
    held = (Path(__file__).parent / "pages.txt").read_text(encoding="utf-8")
    for name, said, text in _PAGE.findall(held):
        lines = (line.partition(": ") for line in said.splitlines())
        commands = tuple((LABELS[label], command) for label, _, command in lines)
        yield Page(name=name, text=text, commands=commands)


PAGES = list(pages())
OFFERS = Offers()


def test_there_are_forty_shapes():
    """Nearly all hold a command."""
    assert len(PAGES) >= 40
    assert sum(bool(page.commands) for page in PAGES) >= 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_of_a_page_is_lost_or_called_read_only_wrongly(page: Page, runbooks: Path):
    """Each is a step of the draft, with what it does; only what changes may be taken together."""
    source = parse_source(page.name, page.text.encode())

    drafted = draft(source, runbooks=runbooks, now=NOW, name="trial", offers=OFFERS)

    for effect, command in page.commands:
        steps = [step for step in drafted.steps if command in step.text]
        assert steps, f"lost: {command}"
        together = {step.effect for step in steps}
        assert effect in together or (effect is Effect.READS and Effect.CHANGES in together)
        assert effect is Effect.READS or Effect.READS not in together


def test_most_pages_that_read_something_get_a_check(runbooks: Path):
    """At least two of three; what no probe can ask stays a manual step."""
    reading = [page for page in PAGES if any(e is Effect.READS for e, _ in page.commands)]
    checked = [
        page.name
        for page in reading
        if draft(
            parse_source(page.name, page.text.encode()),
            runbooks=runbooks,
            now=NOW,
            name="trial",
            offers=OFFERS,
        ).checks
    ]

    assert 3 * len(checked) >= 2 * len(reading), sorted({p.name for p in reading} - {*checked})


def test_a_how_to_is_one_option_with_its_steps_in_order(runbooks: Path):
    """And not an option for each of its headings."""
    (page,) = (page for page in PAGES if page.name == "howto.md")

    text = draft(
        parse_source(page.name, page.text.encode()), runbooks=runbooks, now=NOW, offers=OFFERS
    ).text

    assert re.findall(r"^### (Option .*)$", text, re.MULTILINE) == [
        "Option A: How to rekey the vault"
    ]
    assert text.index("#### Look first") < text.index("#### Rekey")


def test_a_folder_is_imported_in_one_call(tmp_path: Path, runbooks: Path):
    """Each page is a pair or is refused by name, and one that is refused stops no other."""
    wiki = tmp_path / "wiki"
    for page in PAGES[:12]:
        (wiki / page.name).parent.mkdir(exist_ok=True)
        (wiki / page.name).write_text(page.text, encoding="utf-8")
    (wiki / "team").mkdir()
    (wiki / "team" / "README.md").write_text("# Our team\n\nCall us.\n")
    (wiki / "hugo.adoc").write_text("= Another\n\nWords.\n")
    (wiki / "empty.md").write_text("")
    (wiki / "broken.ipynb").write_text("{}")
    (wiki / ".hidden").mkdir()
    (wiki / ".hidden" / "a.md").write_text("# A\n")

    found = import_all(sources_of([wiki]), to=tmp_path / "drafts", runbooks=runbooks, now=NOW)

    names = {one.draft.name for one in found.imported}
    assert len(found.imported) == 14
    assert {"team", "wiki_hugo", "wiki_hugo_2", "gitlab"} <= names
    assert {one.path.name for one in found.refused} == {"empty.md", "broken.ipynb"}
    assert all(one.path.name in one.why for one in found.refused)
    for one in found.imported:
        assert out_of_date(one.path) == []
        assert Runbook.read(one.path).steps


def test_a_folder_without_a_page_is_said(tmp_path: Path):
    """With what is read."""
    with pytest.raises(RunbookNotFoundError, match=r"holds no file to import: .*\.rst"):
        sources_of([tmp_path])


def test_a_runbook_of_ours_is_no_source(tmp_path: Path):
    """Also as a notebook."""
    cells = {"cells": [], "metadata": {"runbook": {"name": "a"}}}

    with pytest.raises(Exception, match="a runbook already"):
        parse_source("a.ipynb", json.dumps(cells).encode())
