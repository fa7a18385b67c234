"""A draft's page under way: lines that cannot break it, unique headings, numbered manual steps."""

import json
import re
from collections.abc import Iterable
from typing import Final

from runbook_nb.authoring.commands import Effect
from runbook_nb.authoring.importer.checks import CheckDraft, Offers, checks_of
from runbook_nb.authoring.importer.commands import Command, commands
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock
from runbook_nb.runbook.cells import RUNNABLE
from runbook_nb.runbook.steps import SECTIONS

# What turns into a cell that runs when it stands behind a fence; in a draft nothing may.
_RUN: Final = frozenset(language.lower() for language in RUNNABLE)
_LOG = re.compile(r"##(\s+)(?=Validation Log)")
_HEADING = re.compile(r"^#{1,6}\s")
_FENCE = re.compile(r"^(\s*)(?=```|~~~)")
_INNER_FENCE = re.compile(r"^\s*`{3}")
_REGION = re.compile(r"^<!--\s*#")
_OURS: Final = frozenset((*SECTIONS, "Triage", "Containment", "Communication"))
_RESERVED = re.compile(r"^(?:Option|Check) ")
_LONGEST: Final = 60  # characters of a heading in the title of a manual step


class DraftPage:
    """The body of a draft, written from top to bottom; ``steps`` are the commands it asks for."""

    def __init__(self, *, owner: str, offers: Offers) -> None:
        self.lines: list[str] = []
        self.steps: list[Command] = []
        self.checks: list[CheckDraft] = []
        self._offers = offers
        self._owner = owner
        self._headings = {heading.casefold() for heading in _OURS}
        self._titles: set[str] = set()
        self._asked = 0

    def say(self, *lines: str) -> None:
        """Add a paragraph of our own words."""
        self.lines.extend((*lines, ""))

    def head(self, level: int, words: str) -> str:
        """Add a heading of our own; return it as it stands, made unique."""
        heading = words if words in _OURS else self._unique(words)
        self.say(f"{'#' * level} {heading}")
        return heading

    def source_heading(self, words: str) -> None:
        """Add a heading of the source, on a level that no rule reads."""
        if not words:
            return
        taken = words.casefold() in {ours.casefold() for ours in _OURS} or is_reserved(words)
        self.say(f"#### {self._unique(f'Source: {_words(words)}' if taken else _words(words))}")

    def blocks(self, blocks: Iterable[SourceBlock], *, place: str, checked: bool = False) -> int:
        """Add blocks of the source; return how many steps there are.

        Each command is a manual step; where it is to be ``checked``, one that a probe can ask as
        well is a check.
        """
        before = self._asked
        for block in blocks:
            found = commands(block)
            if block.kind is BlockKind.TEXT:
                self.say(*map(_harmless, block.lines))
            for command in found:
                self._command(command, place=place, checked=checked)
            if not found and block.kind is BlockKind.CODE:
                self.fence(block.lines, block.language)
        return self._asked - before

    def section(self, heading: str, blocks: Iterable[SourceBlock], *, under: str = "") -> int:
        """Add a section of the source with its heading; return how many steps there are."""
        if heading != under:
            self.source_heading(heading)
        return self.blocks(blocks, place=heading)

    def fence(self, lines: Iterable[str], language: str = "") -> None:
        """Add a block of code that no notebook runs."""
        if language.partition(" ")[0].strip("{}.").lower() in _RUN or "{" in language:
            language = f"text {language}"
        self.say(f"```{language.replace('`', '')}", *map(_in_fence, lines), "```")

    def ask(self, question: str) -> None:
        """Add a manual step."""
        said = json.dumps(question, ensure_ascii=False)
        owner = json.dumps(self._owner, ensure_ascii=False)
        self.say("```python", "incident.ask(", f"    {said},", f"    owner={owner},", ")", "```")

    def check(self, check: CheckDraft) -> None:
        """Add a check, which is a guess, and waits for its author."""
        self.checks.append(check)
        title, number = check.title, 1
        while title in self._titles:
            number += 1
            title = f"{check.title} ({number})"
        self._titles.add(title)
        self.say("```python", *check.lines(title), "```")

    def new_checks(self, command: Command) -> list[CheckDraft]:
        """Return the checks for a command that the page does not have yet."""
        known = {each.call for each in self.checks}
        asked = checks_of(command, self._offers)
        return [check for check in asked.checks if check.call not in known]

    def text(self) -> str:
        """Return the page."""
        return "\n".join(self.lines).rstrip("\n") + "\n"

    def _command(self, command: Command, *, place: str, checked: bool) -> None:
        self._asked += 1
        number = len(self.steps) + 1
        self.steps.append(command)
        prompt = f" Its prompt in the source is `{command.prompt}`." if _telling(command) else ""
        self.say(
            f"**Command {number}: {command.effect}** (guessed{_because(command)}). "
            "Copy it and run it by hand; "
            f"nothing here runs it.{prompt}"
        )
        self.fence(command.lines, f"text {command.language}".strip())
        if command.output:
            self.say("The source shows this output:")
            self.fence(command.output, "text")
        if checked and self._check_command(command, number):
            return None
        where = f" of '{_short(place)}'" if place else ""
        if command.reads:
            return self.ask(f"Run command {number}{where} by hand and say what it shows.")
        return self.ask(
            f"Let somebody else read command {number}{where}, run it by hand, "
            "and say what came back."
        )

    def _check_command(self, command: Command, number: int) -> bool:
        """Add the checks for a command; tell whether they ask all that it asks."""
        found = self.new_checks(command)
        if found:
            self.say(f"What is checked below is read by command {number} too; it is a guess.")
        for check in found:
            self.check(check)
        return bool(found) and checks_of(command, self._offers).is_all

    def _unique(self, words: str) -> str:
        words = words.rstrip("# ") or "Section"
        unique, number = words, 1
        while unique.casefold() in self._headings:
            number += 1
            unique = f"{words} ({number})"
        self._headings.add(unique.casefold())
        return unique


def _because(command: Command) -> str:
    """Say where a guess comes from, in words that cannot break the line."""
    why = " ".join(command.why.replace("`", "").split())[:_LONGEST]
    return f": `{why}`" if command.effect is Effect.CHANGES else f": {why}"


def is_reserved(heading: str) -> bool:
    """Tell whether a heading would be taken for one of a draft's own checks or options."""
    return bool(_RESERVED.match(heading))


def _telling(command: Command) -> bool:
    """Tell whether a prompt says more than that something is typed."""
    return any(map(str.isalnum, command.prompt)) and "`" not in command.prompt


def _words(heading: str) -> str:
    """Return a heading whose words the notebook does not take for one of its own."""
    return _LOG.sub(r"##\1 ", heading)


def _short(place: str) -> str:
    words = " ".join(place.replace("`", "").split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _harmless(line: str) -> str:
    """Return a line of text that is neither heading nor fence nor marker to the notebook."""
    line = _LOG.sub(r"##\1 ", line)
    if _HEADING.match(line) or _REGION.match(line):
        return f"\\{line}"
    if found := _FENCE.match(line):
        mark = line[found.end() :]
        inline = mark.startswith("`") and "`" in mark.lstrip("`")
        return f" {line}" if inline else f"{found[1]}\\{mark}"
    return line


def _in_fence(line: str) -> str:
    line = _LOG.sub(r"##\1 ", line)
    return f"| {line}" if _INNER_FENCE.match(line) else line
