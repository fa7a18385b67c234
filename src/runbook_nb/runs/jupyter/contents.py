"""The files that JupyterLab shows: all of an incident to read, working copies to write."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

import nbformat
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError

from runbook_nb.errors import ParameterError, RunbookError
from runbook_nb.incident.cards import BoardCard
from runbook_nb.runs.by_hand.save import mask_before_save
from runbook_nb.runs.jupyter.outputs import Drawn, cards_of, only_looked_at
from runbook_nb.runs.jupyter.sidebar import board_at
from runbook_nb.text.files import write_atomically
from runbook_nb.timeline.folder import WORKING, IncidentsFolder
from runbook_nb.timeline.log import Timeline

_DEPTH: Final = 3  # INC-2041/working/name.ipynb
_ONE_HASH: Final = "0" * 64


class WorkingCopies(AsyncLargeFileManager):
    """Writes working copies and nothing else: timelines, runs and masters are only read."""

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Save a working copy, its secrets masked; refuse any other file."""
        self._demand_working_copy(path)
        if model.get("type") != "notebook":
            self._refuse(path, "saved")
        mask_before_save(path, model)
        await asyncio.to_thread(self._keep_what_was_run, path, model)
        saved: dict[str, Any] = await super().save(model, path)  # type: ignore[no-untyped-call]
        return saved

    async def get(self, path: str, *told: Any, **more: Any) -> dict[str, Any]:
        """Return a file; each state of a copy has the same hash.

        By it a tab asks whether to overwrite what another one saved. Both are one responder's: the
        newest save stands, with what the other tab ran, and nobody is asked.
        """
        model: dict[str, Any] = await super().get(path, *told, **more)  # type: ignore[no-untyped-call]
        if model.get("hash") is not None:
            model["hash"] = _ONE_HASH
        return model

    async def delete_file(self, path: str) -> None:
        """Refuse: what was done by hand is part of the incident."""
        self._refuse(path, "deleted")

    async def rename_file(self, old_path: str, new_path: str) -> None:  # noqa: ARG002
        """Refuse: where a copy stands says which incident it belongs to."""
        self._refuse(old_path, "renamed")

    async def copy(self, from_path: str, to_path: str | None = None) -> dict[str, Any]:  # noqa: ARG002
        """Refuse: a second copy would belong to nobody's run."""
        self._refuse(from_path, "copied")

    async def restore_checkpoint(self, checkpoint_id: str, path: str) -> None:
        """Go back to an earlier state of a working copy; refuse for any other file."""
        self._demand_working_copy(path)
        await super().restore_checkpoint(checkpoint_id, path)  # type: ignore[no-untyped-call]

    def mark_trusted_cells(self, nb: Any, path: str = "") -> None:
        """Hand out outputs to be looked at, and nothing as trusted, whoever saved it."""
        only_looked_at(nb, self._drawn(path))

    def check_and_sign(self, nb: Any, path: str = "", **_: Any) -> None:
        """Sign nothing: what is trusted is what a kernel of this tab has just shown."""

    async def _save_notebook(
        self, os_path: str, nb: Any, capture_validation_error: dict[str, Any] | None = None
    ) -> None:
        """Write a copy at once: kernels and the board read it while it is saved."""
        text = nbformat.writes(nb, nbformat.NO_CONVERT, capture_validation_error)
        await asyncio.to_thread(write_atomically, Path(os_path), text)

    def _keep_what_was_run(self, path: str, model: dict[str, Any]) -> None:
        """Keep the outputs of the cells that another tab ran and this one did not."""
        # What cannot be read is replaced by what a tab has.
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            text = (Path(self.root_dir) / path.strip("/")).read_text(encoding="utf-8")
            cells = json.loads(text)["cells"]
            ran = {cell["id"]: cell for cell in cells if cell.get("outputs")}
            for cell in model["content"]["cells"]:
                known = ran.get(cell.get("id"))
                if known and not cell.get("outputs") and _said(known) == _said(cell):
                    cell["outputs"] = known["outputs"]
                    cell["execution_count"] = known.get("execution_count")

    def _drawn(self, path: str) -> Drawn:
        """Return the cards and the board of the incident that a notebook belongs to."""
        root = Path(self.root_dir)
        incident, *_ = Path(path.strip("/")).parts
        try:
            cards = cards_of(Timeline(IncidentsFolder(root).incident(incident).timeline).proven())
        except ParameterError:
            return Drawn()
        try:
            return Drawn(cards=cards, board=BoardCard(board_at(root, path), attended=True))
        except (RunbookError, OSError):
            return Drawn(cards=cards)

    def _demand_working_copy(self, path: str) -> None:
        parts = Path(path.strip("/")).parts
        root = Path(self.root_dir).resolve()
        real = root.joinpath(*parts).resolve()
        folder = root.joinpath(*parts[:2])
        if len(parts) != _DEPTH or parts[1] != WORKING or real.parent != folder:
            message = (
                f"{path} was not saved: only working copies can be written here, in "
                f"INCIDENT/{WORKING}/. Runbooks are edited as Markdown in their project; "
                "timelines and runs are the record."
            )
            raise HTTPError(403, message, reason="only working copies can be written here")

    def _refuse(self, path: str, done: str) -> NoReturn:
        message = f"{path} was not {done}: it belongs to the record of its incident."
        raise HTTPError(403, message, reason="it belongs to the record of its incident")


def _said(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell, which a notebook may hold in lines."""
    return "".join(cell.get("source", ""))
