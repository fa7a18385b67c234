"""A notebook that is no runbook as Markdown: its text as it is, its code between fences."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from runbook_nb.errors import RunbookFormatError

_SHELL_LINE: Final = re.compile(r"^\s*!(?!=)")


def from_notebook(text: str) -> list[str]:
    """Return the cells of a notebook, with what they printed; raises RunbookFormatError."""
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
        metadata = notebook.get("metadata", {})
        if "runbook" in metadata:
            message = "It is a runbook already: import its Markdown's source, or copy the pair."
            raise RunbookFormatError(message)
        language = metadata.get("kernelspec", {}).get("language", "python")
        return [line for cell in cells for line in _lines(cell, str(language))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = "It is no notebook that can be read: it has no list of cells."
        raise RunbookFormatError(message) from error


def _lines(cell: Mapping[str, Any], language: str) -> Iterator[str]:
    source = _text(cell["source"])
    if not source.strip():
        return
    if cell["cell_type"] != "code":
        yield from (*source.split("\n"), "")
        return
    lines = source.split("\n")
    if lines[0].startswith("%%"):
        yield from _fenced("bash" if lines[0].startswith(("%%bash", "%%sh")) else "text", lines[1:])
    elif all(map(_SHELL_LINE.match, filter(str.strip, lines))):
        yield from _fenced("bash", [_SHELL_LINE.sub("", line) for line in lines])
    else:
        yield from _fenced(language, lines)
    for output in cell.get("outputs", ()):
        printed = output.get("text") or output.get("data", {}).get("text/plain") or ""
        if _text(printed).strip():
            yield from _fenced("output", _text(printed).rstrip("\n").split("\n"))


def _text(found: Any) -> str:
    return "".join(found) if isinstance(found, list) else str(found)


def _fenced(language: str, lines: list[str]) -> Iterator[str]:
    mark = "````" if any("```" in line for line in lines) else "```"
    yield from (f"{mark}{language}", *lines, mark, "")
