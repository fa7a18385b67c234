"""A runbook's Markdown as the rules see it: read once, each part with its line, nothing run."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tokenize import TokenError
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from runbook_nb.authoring.lint.markdown import Block, Heading, blocks, headings
from runbook_nb.errors import RunbookError
from runbook_nb.runbook.steps import Parameter, Step, read_parameters, read_steps

# libyaml reads a front matter ten times as fast; without it the result is the same.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SECTION_LEVEL: Final = 2
_PYTHON: Final = ("python", "python3")


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


class Page:
    """One runbook's Markdown. ``problem`` says why it cannot be read; rules then see nothing."""

    def __init__(self, path: Path, text: str, problem: str = "") -> None:
        self.path, self.text, self.problem = path, text, problem
        self.front: Mapping[str, Any] = {}
        self.metadata: Mapping[str, Any] = {}
        self.lines = text.split("\n")
        self.body_line = 1
        if not problem:
            self.problem = self._read_front()

    @classmethod
    def read(cls, path: Path) -> "Page":
        """Read a file; what cannot be read becomes the page's problem."""
        try:
            return cls(path, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            return cls(path, "", f"The file is not UTF-8: {error.reason} at byte {error.start}.")
        except OSError as error:
            return cls(path, "", f"The file cannot be read: {error.strerror}.")

    @property
    def name(self) -> str:
        """The runbook's name, which is the file's."""
        return self.path.stem

    @cached_property
    def blocks(self) -> list[Block]:
        """The text, fenced blocks and cells below the front matter."""
        return list(blocks(self.lines[self.body_line - 1 :], self.body_line))

    @cached_property
    def cells(self) -> list[Block]:
        """The blocks that become code cells."""
        return [block for block in self.blocks if block.kind == "cell"]

    @cached_property
    def headings(self) -> list[Heading]:
        """All headings in order."""
        return headings(self.blocks, len(self.lines) + 1)

    @cached_property
    def sections(self) -> list[Heading]:
        """The headings of the second level."""
        return [heading for heading in self.headings if heading.level == _SECTION_LEVEL]

    @cached_property
    def steps(self) -> list[Placed]:
        """The steps in order; empty where the cells cannot be read."""
        return self._steps[0]

    @property
    def steps_problem(self) -> str:
        """Why the steps cannot be read; empty if they can."""
        return self._steps[1]

    @cached_property
    def trees(self) -> dict[int, ast.Module | SyntaxError]:
        """What each Python cell says, by its line; SyntaxError where it says nothing."""
        return {cell.line: _tree(cell.source) for cell in self.cells if cell.language in _PYTHON}

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
        tree = self.trees.get(self.cells[1].line) if len(self.cells) > 1 else None
        found = {}
        for node in tree.body if isinstance(tree, ast.Module) else ():
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
        told = [
            {"cell_type": "markdown" if block.kind == "text" else "code", "source": _run(block)}
            for block in self.blocks
            if block.kind != "fence"
        ]
        kept = [block for block in self.blocks if block.kind != "fence"]
        try:
            found, _ = read_steps(told)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            return [], f"A cell cannot be read: {error}."
        return [self._placed(step, kept[step.cell]) for step in found], ""

    def _placed(self, step: Step, block: Block) -> Placed:
        call: Any = self.trees[block.line].body[0].value  # type: ignore[union-attr]
        return Placed(step=step, line=block.line + call.lineno - 1, call=call)

    @cached_property
    def _parameters(self) -> tuple[list[Parameter], str]:
        ranges = self.front.get("parameters")
        named = {
            name: limits if isinstance(limits, dict) else {}
            for name, limits in (ranges.items() if isinstance(ranges, dict) else ())
        }
        for cell in self.cells:
            if "parameters" in cell.tags:
                try:
                    return read_parameters(cell.source, named), ""
                except (RunbookError, SyntaxError, TokenError, ValueError, TypeError) as error:
                    return [], str(error)
        return [], ""

    def _read_front(self) -> str:
        closing = next(
            (at for at, line in enumerate(self.lines[1:], start=1) if line.rstrip() == "---"), 0
        )
        if self.lines[0].rstrip() != "---" or not closing:
            return "The file has no front matter between two lines of `---`."
        self.body_line = closing + 2
        try:
            read = yaml.load("\n".join(self.lines[1:closing]), Loader=_LOADER)  # noqa: S506 - safe
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            return f"The front matter is not YAML: {' '.join(str(error).split())}."
        metadata = read.get("jupyter") if isinstance(read, dict) else None
        self.metadata = metadata if isinstance(metadata, dict) else {}
        front = self.metadata.get("runbook")
        if not isinstance(front, dict):
            return "The front matter has no `jupyter: runbook:` entry."
        self.front = front
        return ""


def _run(block: Block) -> str:
    """Return a block as its cell holds it: another language than Python is a magic."""
    magic = block.kind == "cell" and block.language not in _PYTHON
    return f"%%{block.language}\n{block.source}" if magic else block.source


def _tree(source: str) -> ast.Module | SyntaxError:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error))
