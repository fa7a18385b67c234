"""The saved copy of a notebook while it runs: written whole or not at all, and truthfully."""

import json
import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from papermill.engines import NotebookExecutionManager
from papermill.translators import papermill_translators

from runbook_nb.redaction import Redactor
from runbook_nb.redaction.outputs import Writing
from runbook_nb.text.files import write_atomically
from runbook_nb.text.values import Json

_LOG: Final = logging.getLogger("runbook_nb")


class SavedNotebook(NotebookExecutionManager):  # type: ignore[misc]  # papermill is untyped
    """Keeps times and states of cells as papermill does, and writes them as they are.

    A cell that was not reached is ``not-run``, also after the end. Papermill asks for a save at
    the start and the end of each cell; here a save only becomes due, and ``write`` does it now and
    then, while the kernel is busy.
    """

    PENDING = "not-run"

    def __init__(self, nb: Any, *, path: Path, redactor: Redactor) -> None:
        super().__init__(nb, progress_bar=False, autosave_cell_every=0)
        self.dropped: defaultdict[int, int] = defaultdict(int)
        self.written_at = time.monotonic()
        self._path = path
        self._redactor = redactor
        self._writing = Writing(redactor)
        self._texts: list[str] = []
        self._changed: set[int] = set()
        self._warned = False

    def save(self, **_: Any) -> None:
        """Do nothing yet; the engine calls ``write`` when it costs no time."""

    def notebook_start(self, **kwargs: Any) -> None:
        """Mark all cells as not run, and write the first copy."""
        self.nb.metadata.papermill["output_path"] = str(self._path)
        super().notebook_start(**kwargs)
        self._texts = [self._text(index) for index in range(len(self.nb.cells))]
        self.write()

    def cell_start(self, cell: Any, cell_index: int, **kwargs: Any) -> None:
        """Mark a cell as running."""
        self._changed.add(cell_index)
        super().cell_start(cell, cell_index, **kwargs)

    def cell_complete(self, cell: Any, cell_index: int, **kwargs: Any) -> None:
        """Mark a cell as completed, unless it failed."""
        self._changed.add(cell_index)
        super().cell_complete(cell, cell_index=cell_index, **kwargs)

    def notebook_complete(self, **_: Any) -> None:
        """Write the end time; cells that were not reached stay ``not-run``."""
        self.end_time = self.now()
        self.nb.metadata.papermill["end_time"] = self.end_time.isoformat()
        took = (self.end_time - self.start_time).total_seconds()
        self.nb.metadata.papermill["duration"] = took
        self.write()

    def output_changed(self, cell_index: int) -> None:
        """Take note that a running cell has new output."""
        self._changed.add(cell_index)

    @property
    def stale(self) -> bool:
        """Tell whether the file lacks something."""
        return bool(self._changed)

    def plain(self, text: str) -> str:
        """Return a text of a cell as it may be told."""
        return self._writing.text(text)

    def write(self) -> None:
        """Replace the file by the notebook as it stands; keep the last one if that fails.

        The run goes on without: the timeline, not this copy, is the record.
        """
        for index in self._changed:
            self._texts[index] = self._text(index)
        self.written_at = time.monotonic()
        try:
            write_atomically(self._path, self._document())
        except OSError as error:
            self._warn(error)
        else:
            self._changed.clear()

    def _warn(self, error: OSError) -> None:
        if self._warned:
            return
        self._warned = True
        _LOG.warning(
            "The notebook copy %s cannot be saved (%s). The run goes on; the last good copy and "
            "the timeline are kept.",
            self._path,
            error.strerror or error,
        )

    def _text(self, index: int) -> str:
        cell = dict(self.nb.cells[index])
        if "injected-parameters" in cell["metadata"].get("tags", ()):
            cell["source"] = self._parameters()
        return _json(self._writing.cell(cell, dropped=self.dropped[index]))

    def _parameters(self) -> str:
        """Return the injected cell made anew of masked values: quoting can hide a secret."""
        masked = self._redactor.clean(self.nb.metadata.papermill["parameters"])
        translator = papermill_translators.find_translator("python3", "python")
        source: str = translator.codify(masked, "Parameters")
        return source

    def _document(self) -> str:
        metadata = _json(self._redactor.clean(self.nb.metadata))
        cells = ",\n".join(self._texts)
        formats = f'"nbformat": {self.nb.nbformat},\n"nbformat_minor": {self.nb.nbformat_minor}'
        return f'{{\n"cells": [\n{cells}\n],\n"metadata": {metadata},\n{formats}\n}}\n'


def _json(value: Mapping[str, Json]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
