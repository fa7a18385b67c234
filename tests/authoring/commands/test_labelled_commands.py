"""Each command of the corpus gets its label, which was written before it was tried."""

import shlex
from pathlib import Path

import pytest

from runbook_nb.authoring.commands import Effect, judge
from runbook_nb.authoring.importer.commands import commands
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock

EFFECTS = {"reads": Effect.READS, "changes": Effect.CHANGES, "unknown": Effect.UNKNOWN}
LINES = (Path(__file__).parent / "corpus.txt").read_text(encoding="utf-8").splitlines()
# Where one of these stands, the form would part the command.
PARTING = set("|&;<>\n⏎#`$\"'{}\\")
FORMS = [
    "ls; PLAIN",
    "ls && PLAIN | cat",
    "ls\nPLAIN 2>/dev/null",
    "if true; then PLAIN; fi",
    "for i in 1 2; do PLAIN; done",
    'echo "now: $(PLAIN)"',
    "x=`PLAIN`",
    "cat <(PLAIN)",
    "cat <<EOF\n$(PLAIN)\nEOF",
    "look() { PLAIN; }; look",
    "sudo -u root env A=b timeout 5 PLAIN",
    "A=b time -p PLAIN",
    "watch -n 5 PLAIN",
    "ssh -p 22 ops@web1 PLAIN",
    "bash -c QUOTED",
    "ssh web1 QUOTED",
    "find . -exec sh -c QUOTED \\;",
    "su - app -c QUOTED",
    "xargs -n 1 sh -c QUOTED < list",
]
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


@pytest.mark.parametrize("label", EFFECTS)
def test_a_command_gets_its_label(label: str):
    """What changes something, or is not known, is never called read-only."""
    given = [(language, text) for wanted, language, text in CORPUS if wanted == label]

    judged = {text: effect(language, text) for language, text in given}

    assert {text: found for text, found in judged.items() if found is not EFFECTS[label]} == {}


@pytest.mark.parametrize("form", FORMS)
def test_what_changes_is_seen_wherever_it_stands(form: str):
    """In lists, loops, substitutions, and behind programs that only call another one."""
    quoted = "QUOTED" in form
    inner = [
        text.replace("⏎", "\n")
        for label, language, text in CORPUS
        if label == "changes" and language == "bash" and (quoted or not set(text) & PARTING)
    ]

    texts = [form.replace("QUOTED", shlex.quote(text)).replace("PLAIN", text) for text in inner]

    assert [text for text in texts if judge(text, "bash").reads] == []
