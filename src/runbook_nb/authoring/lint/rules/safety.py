"""Rules about what may not stand in a runbook: secrets, environments' hosts, changing commands."""

import re
from collections.abc import Iterator
from typing import Final

from runbook_nb.authoring.commands.changed import changed
from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.redaction import IN_PROSE, PATTERNS
from runbook_nb.runbook.cells import PYTHON

# Words that these patterns catch in prose ("OAuth connections") are none without a digit.
_LOOSE: Final = frozenset({"named secret", "authorization header", *IN_PROSE})
_STAND_IN = re.compile(r"[<>${}…*]|\.\.\.|\[masked")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://(?:[^\s/@\"'`<>]*@)?(\[[0-9a-fA-F:]+\]|[\w.-]+)")
_NAME = re.compile(
    r"(?<![\w@./:-])((?:[a-z0-9][a-z0-9-]*\.)+(?:com|org|net|io|dev|app|ai|co|cloud|internal|local))\b"
)
_ADDRESS = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])")
# RFC 2606 and RFC 5737 keep these for examples; the rest is the reader's own machine.
_EXAMPLES = re.compile(
    r"(?:^|\.)(?:example|example\.(?:com|org|net)|test|invalid|localhost)$"
    r"|^127\.|^0\.0\.0\.0$|^192\.0\.2\.|^198\.51\.100\.|^203\.0\.113\.|^\[::1\]$"
)
_INLINE = re.compile(r"(?<!`)`([^`\n]+ [^`\n]+)`(?!`)")


@rule(
    "secret",
    reason="A runbook is read by many and kept for ever; a secret in it is given away.",
    fix="Take it out, have it changed, and keep it as a reference in the settings.",
)
def secret(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Keep out what looks like a secret."""
    for name, pattern in PATTERNS:
        for found in pattern.finditer(page.text):
            said = found.group(0)
            harmless = name in _LOOSE and not any(map(str.isdigit, said))
            if not harmless and not _STAND_IN.search(said):
                line = page.text.count("\n", 0, found.start()) + 1
                yield Flaw(line=line, message=f"This looks like a secret ({name}).")


@rule(
    "host",
    reason="A runbook runs against every environment; a host in it is the wrong one elsewhere.",
    fix="Read it from the settings in a probe; in text say which system is meant. A public page of "
    "a partner goes into contacts.toml as a site.",
)
def host(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Keep out the hosts of any environment."""
    for number, text in enumerate(page.lines, start=1):
        for pattern in (_URL, _NAME, _ADDRESS):
            for found in pattern.finditer(text):
                name = found[1].strip(".").lower()
                if name not in shelf.contacts.sites and not _EXAMPLES.search(name):
                    yield Flaw(line=number, message=f"{name} is a host of some environment.")


@rule(
    "command",
    reason="A command that is copied changes a system unrehearsed, unapproved and unrecorded.",
    fix="Make it an action of a system; or put it below an option, under an `ask` that says in "
    "words what to do.",
)
def command(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Change nothing by a command outside an option's manual step."""
    manual = {placed.step.option for placed in page.of("ask") if placed.step.option}
    spared = [
        (heading.line, page.end_of(heading)) for heading in page.options() if heading.text in manual
    ]
    for number, text in _commands(page):
        if not any(first < number < end for first, end in spared) and (what := changed(text)):
            yield Flaw(line=number, message=f"`{what}` changes something.")


def _commands(page: RunbookPage) -> Iterator[tuple[int, str]]:
    """Return what could be copied and run: lines of blocks, and code within a line of text."""
    for cell in page.cells:
        if cell.language not in PYTHON:
            yield from enumerate(cell.lines, start=cell.line)
    for text in page.texts:
        for block in text.code:
            yield from block.numbered()
    for number, line in page.unfenced:
        yield from ((number, found[1]) for found in _INLINE.finditer(line))
