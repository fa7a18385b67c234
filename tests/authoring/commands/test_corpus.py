"""Each command of the corpus gets its label, which was written before it was tried."""

from pathlib import Path

import pytest

from runbook_nb.authoring.commands import Effect
from runbook_nb.authoring.importer.commands import commands
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock

EFFECTS = {"reads": Effect.READS, "changes": Effect.CHANGES, "unknown": Effect.UNKNOWN}
LINES = (Path(__file__).parent / "corpus.txt").read_text(encoding="utf-8").splitlines()
CORPUS = [tuple(line.split(" | ", 2)) for line in LINES if not line.startswith("#")]


def effect(language: str, text: str) -> Effect:
    """Return what a block of code as a source holds it is judged to do."""
    lines = tuple(text.split("⏎"))
    block = SourceBlock(kind=BlockKind.CODE, line=1, lines=lines, language=language)
    (command,) = commands(block)
    return command.effect


def test_the_corpus_is_large():
    """And each command stands in it once."""
    assert len(CORPUS) >= 300
    assert len({entry[1:] for entry in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize(("label", "language", "text"), CORPUS)
def test_a_command_gets_its_label(label: str, language: str, text: str):
    """What changes something, or is not known, is never called read-only."""
    assert effect(language, text) is EFFECTS[label]
