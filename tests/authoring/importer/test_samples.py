"""Runbooks of many shapes become sound drafts, and nothing of them is dropped."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from drafting_kept import NOW, demand_sound, demand_whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from runbook_nb.authoring.importer import Imported
from runbook_nb.errors import RunbookFormatError

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.md"))
FRAGMENTS = (Path(__file__).parent / "fragments.txt").read_text(encoding="utf-8").split("\n")
LINES = some.sampled_from(FRAGMENTS)
MARKDOWN = some.lists(some.one_of(LINES, some.just(""), some.text(max_size=12)), max_size=25)


def test_there_are_many_shapes():
    """Each was written for these tests."""
    assert len(SAMPLES) >= 30


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_becomes_a_sound_draft(
    path: Path, take_in: Callable[..., Imported], runbooks: Path
):
    """It runs nothing, keeps every line, and reports each rule that it does not meet."""
    text = path.read_bytes().decode()

    written = take_in(text)

    demand_sound(written, runbooks=runbooks, now=NOW)
    demand_whole(text, written)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=MARKDOWN)
def test_any_markdown_becomes_a_sound_draft(
    lines: list[str], take_in: Callable[..., Imported], runbooks: Path
):
    """Or it is refused in one sentence."""
    text = "\n".join(lines)
    try:
        written = take_in(text)
    except RunbookFormatError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert re.search("empty|zero bytes", refused)
        return
    try:
        demand_sound(written, runbooks=runbooks, now=NOW)
        demand_whole(text, written)
    finally:
        written.path.unlink()
        written.path.with_suffix(".ipynb").unlink()
