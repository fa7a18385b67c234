"""How a cell is written into the saved notebook: masked, harmless and of bounded size."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from runbook_nb.redaction import Redactor, visible
from runbook_nb.redaction.images import without_texts
from runbook_nb.text.values import Json

TEXT_LIMIT: Final = 64 * 1024  # characters of one stream or text
CELL_LIMIT: Final = 1024 * 1024  # characters of all outputs of one cell
# Kept beyond the limit until it is masked, so that a secret on the edge is not half shown.
MARGIN: Final = 4 * 1024

_TEXTS: Final = ("text/plain", "text/markdown", "text/latex")
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Writing:
    """Turns cells into what may be written: everything passes the redactor."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def cell(self, cell: Mapping[str, Any], *, dropped: int = 0) -> dict[str, Json]:
        """Return a cell as it may be written; ``dropped`` characters of output were not kept."""
        written: dict[str, Json] = {
            "cell_type": cell["cell_type"],
            "metadata": self._redactor.clean(cell["metadata"]),
            "source": self._redactor.mask(cell["source"]),
        }
        if "id" in cell:
            written["id"] = cell["id"]
        if cell.get("attachments"):
            written["attachments"] = {
                self._redactor.text(name): self._bundle(data)
                for name, data in cell["attachments"].items()
            }
        if cell["cell_type"] == "code":
            written["execution_count"] = cell["execution_count"]
            written["outputs"] = self._outputs(cell["outputs"], dropped)
        return written

    def text(self, text: str, limit: int = TEXT_LIMIT) -> str:
        """Return plain text: colour codes are dropped first, since they can split a secret."""
        masked = self._redactor.mask(visible(_as_shown(text[: limit + MARGIN])))
        if len(text) <= limit + MARGIN and len(masked) <= limit:
            return masked
        return f"{masked[:limit]} … [cut]\n"

    def _outputs(self, outputs: Iterable[Mapping[str, Any]], dropped: int) -> list[Json]:
        kept: list[Json] = []
        room = CELL_LIMIT
        for output in outputs:
            written = self._output(output)
            size = size_of(written)
            if size <= room or output["output_type"] == "error":
                kept.append(written)
                room -= size
            else:
                dropped += size
        if dropped:
            text = f"[cut: {dropped:,} more characters of output]\n"
            kept.append({"output_type": "stream", "name": "stderr", "text": text})
        return kept

    def _output(self, output: Mapping[str, Any]) -> dict[str, Json]:
        kind = output["output_type"]
        if kind == "stream":
            return {"output_type": kind, "name": output["name"], "text": self.text(output["text"])}
        if kind == "error":
            return {
                "output_type": kind,
                "ename": self.text(output["ename"]),
                "evalue": self.text(output["evalue"]),
                # Joined first: a long value may stand on two lines of a traceback.
                "traceback": self.text("\n".join(output["traceback"])).split("\n"),
            }
        written = {
            "output_type": kind,
            "data": self._bundle(output["data"]),
            "metadata": self._redactor.clean(output["metadata"]),
        }
        if kind == "execute_result":
            written["execution_count"] = output["execution_count"]
        return written

    def _bundle(self, data: Mapping[str, Any]) -> dict[str, Json]:
        return {self._redactor.mask(mime): self._content(mime, each) for mime, each in data.items()}

    def _content(self, mime: str, value: Any) -> Json:
        if not isinstance(value, str):
            return self._redactor.clean(value)
        if mime in _TEXTS:
            return self.text(value)
        if mime in _PICTURES and (picture := without_texts(value)) is not None:
            return picture
        # Markup keeps its form: what it may do on a screen is settled where it is shown.
        return self._redactor.mask(value) if len(value) <= CELL_LIMIT else _cut(value)


def masked_notebook(notebook: Mapping[str, Any], redactor: Redactor) -> dict[str, Json]:
    """Return a whole notebook as it may be written: sources, outputs and all metadata masked."""
    writing = Writing(redactor)
    return {
        "cells": [writing.cell(cell) for cell in notebook["cells"]],
        "metadata": redactor.clean(notebook["metadata"]),
        "nbformat": notebook["nbformat"],
        "nbformat_minor": notebook["nbformat_minor"],
    }


def size_of(output: Mapping[str, Any]) -> int:
    """Return the characters that an output holds."""
    match output["output_type"]:
        case "stream":
            return len(output["text"])
        case "error":
            return len(output["evalue"]) + sum(map(len, output["traceback"]))
        case _:
            return sum(
                len(value) if isinstance(value, str) else len(json.dumps(value))
                for value in output["data"].values()
            )


def _as_shown(text: str) -> str:
    """Return what a screen shows at last, where a progress bar wrote its line again and again."""
    lines = text.split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _cut(value: str) -> str:
    return f"[cut: {len(value):,} characters]"
