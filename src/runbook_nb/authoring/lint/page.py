"""A runbook's Markdown as the rules see it: read once, each part with its line, nothing run."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.markdown import Heading, ListItem, Markdown
from runbook_nb.runbook.parameters import Parameter, read_parameters
from runbook_nb.runbook.steps import SECTION_LEVEL, Step, read_steps, verb_call

_NOTHING: Final = Document(path=Path(), metadata={}, cells=(), stored={})


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A step with its line and its call as Python reads it."""

    step: Step
    line: int
    call: ast.Call

    def argument(self, name: str) -> ast.expr | None:
        """Return the keyword argument of that name."""
        return next((word.value for word in self.call.keywords if word.arg == name), None)

    def line_of(self, name: str) -> int:
        """Return the line of a keyword argument, or of the step without one."""
        node = self.argument(name)
        return self.line + node.lineno - 1 if node else self.line

    def words(self, name: str) -> str:
        """Return a keyword argument that is text; empty if it is missing or anything else."""
        value = self.step.words.get(name)
        return value if isinstance(value, str) else ""


class RunbookPage:
    """One runbook's Markdown. ``problem`` says why it cannot be read; rules then see nothing."""

    def __init__(self, path: Path, text: str, problem: str = "") -> None:
        self.path, self.text, self.problem = path, text, problem
        self.lines = text.split("\n")
        self.document = _NOTHING
        if not problem:
            try:
                self.document = Document.parse(text, path)
            except RunbookFormatError as error:
                self.problem = str(error).removeprefix(f"{path}: ")
        if not self.problem and not self.front:
            self.problem = "The front matter has no `jupyter: runbook:` entry."

    @classmethod
    def read(cls, path: Path) -> "RunbookPage":
        """Read a file; what cannot be read becomes the page's problem."""
        try:
            return cls(path, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            return cls(path, "", f"The file is not UTF-8: {error.reason} at byte {error.start}.")
        except OSError as error:
            return cls(path, "", f"The file cannot be read: {error.strerror}.")

    @property
    def front(self) -> Mapping[str, Any]:
        """The front matter's ``runbook`` entry."""
        return self.document.front

    @property
    def body_line(self) -> int:
        """The first line below the front matter."""
        return self.document.body_line

    @property
    def name(self) -> str:
        """The runbook's name, which is the file's."""
        return self.path.stem

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells that run."""
        return [cell for cell in self.document.cells if cell.is_code]

    @cached_property
    def texts(self) -> list[Markdown]:
        """What stands between the cells that run."""
        return [cell.markdown for cell in self.document.cells if cell.is_text]

    @cached_property
    def headings(self) -> list[Heading]:
        """All headings in order."""
        return [heading for text in self.texts for heading in text.headings]

    @cached_property
    def sections(self) -> list[Heading]:
        """The headings of the second level."""
        return [heading for heading in self.headings if heading.level == SECTION_LEVEL]

    @cached_property
    def steps(self) -> list[Placed]:
        """The steps in order; empty where the cells cannot be read."""
        return self._steps[0]

    @property
    def steps_problem(self) -> str:
        """Why the steps cannot be read; empty if they can."""
        return self._steps[1]

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The parameters declared; empty where their cell cannot be read."""
        return self._parameters[0]

    @property
    def parameters_problem(self) -> str:
        """Why the parameters cannot be read; empty if they can."""
        return self._parameters[1]

    @cached_property
    def imported(self) -> dict[str, tuple[str, str]]:
        """The names that the opening cell imports, each with its module and its name there."""
        found = {}
        for node in self.cells[1].statements if len(self.cells) > 1 else ():
            if isinstance(node, ast.ImportFrom):
                for name in node.names:
                    found[name.asname or name.name] = (node.module or "", name.name)
        return found

    def of(self, *verbs: str) -> list[Placed]:
        """Return the steps of these verbs."""
        return [placed for placed in self.steps if placed.step.verb in verbs]

    def titles(self, verb: str) -> list[str]:
        """Return the titles of the steps of one verb."""
        return [placed.step.title for placed in self.of(verb)]

    def options(self) -> list[Heading]:
        """Return the headings of the options."""
        return [heading for heading in self.headings if heading.text.startswith("Option ")]

    def words_below(self, heading: Heading) -> list[str]:
        """Return the lines of text between a heading and the next one, fences left out."""
        after = (other.line for other in self.headings if other.line > heading.line)
        end = next(after, len(self.lines) + 1)
        return [
            line
            for text in self.texts
            for number, line in text.unfenced()
            if heading.line < number < end and line.strip()
        ]

    def items(self, name: str) -> list[ListItem]:
        """Return the items of the lists in a section."""
        line, lines = self.section(name)
        return [
            item
            for text in self.texts
            for item in text.items
            if line <= item.line < line + len(lines)
        ]

    def end_of(self, heading: Heading) -> int:
        """Return the line of the next heading that is not below this one, or after the last."""
        after = (
            other.line
            for other in self.headings
            if other.line > heading.line and other.level <= heading.level
        )
        return next(after, len(self.lines) + 1)

    def section(self, name: str) -> tuple[int, list[str]]:
        """Return the first line and the lines of a section; none where it is missing."""
        for place, heading in enumerate(self.sections):
            if heading.text == name:
                after = self.sections[place + 1 :]
                end = after[0].line if after else len(self.lines) + 1
                return heading.line, self.lines[heading.line - 1 : end - 1]
        return 1, []

    def strings(self, key: str) -> list[str]:
        """Return a list of texts from the front matter; empty for anything else."""
        value = self.front.get(key)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def said(self, key: str) -> str:
        """Return a text from the front matter; empty for anything else."""
        value = self.front.get(key)
        return value if isinstance(value, str) else ""

    def front_line(self, key: str, item: str = "") -> int:
        """Return the line of a key of the front matter, or of an item in its list."""
        head = self.lines[: self.body_line]
        start = next((at for at, line in enumerate(head) if line.strip() == "runbook:"), 0)
        wanted = (
            at for at, line in enumerate(head) if at > start and line.strip().startswith(f"{key}:")
        )
        place = next(wanted, start)
        items = (at for at, line in enumerate(head) if at > place and line.strip(" -'\"") == item)
        return (next(items, place) if item else place) + 1

    def body(self) -> Iterator[tuple[int, str]]:
        """Return each line below the front matter with its number."""
        return enumerate(self.lines[self.body_line - 1 :], start=self.body_line)

    @cached_property
    def _steps(self) -> tuple[list[Placed], str]:
        try:
            found, _ = read_steps(self.document.cells)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            return [], f"A cell cannot be read: {error}."
        return [_placed(step, self.document.cells[step.cell]) for step in found], ""

    @cached_property
    def _parameters(self) -> tuple[list[Parameter], str]:
        try:
            return read_parameters(self.cells, self.front.get("parameters")), ""
        except RunbookFormatError as error:
            return [], str(error)


def _placed(step: Step, cell: Cell) -> Placed:
    call = verb_call(cell)
    if call is None:
        message = f"cell {step.cell + 1} is no step"
        raise ValueError(message)
    return Placed(step=step, line=cell.line + call.lineno - 1, call=call)
