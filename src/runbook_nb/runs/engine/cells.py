"""The cells of one run: executed in order, and cut off when the run must not go on."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any, Final

from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_output

from runbook_nb.redaction import Redactor
from runbook_nb.runs.engine.client import CollectingClient
from runbook_nb.runs.engine.interruption import Interruption
from runbook_nb.runs.engine.kernel import Kernel
from runbook_nb.runs.engine.positions import CellPlace, places
from runbook_nb.runs.engine.progress import EventFeed, Progress
from runbook_nb.runs.engine.saved_notebook import SavedNotebook
from runbook_nb.text.durations import words

# How soon a dead kernel, a signal or a passed limit is seen.
_TICK_S: Final = 0.05
_LOOK_EVERY_S: Final = 0.5
_SAVE_EVERY_S: Final = 1.0
_START_LIMIT_S: Final = 60.0
# The kernel has answered but its last output is missing: it was dropped on the way.
_LAST_OUTPUT_LIMIT_S: Final = 10.0


@dataclass(kw_only=True)
class EngineRun:
    """What the engine needs for one run, and what it finds: the fields from ``complete`` on."""

    kernel: Kernel
    interruption: Interruption
    notebook: Path
    redactor: Redactor
    progress: Progress
    feed: EventFeed
    ends_at: float
    limit_s: float
    step_limit_s: float
    complete: bool = False
    reason: str = ""
    stopped_at: str = ""
    steps_run: int = 0


class Cut(Exception):  # noqa: N818 - the run was cut off, from outside or by its limits
    """The run was cut off, with the name and words of what did it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


class CellRunner:
    """Runs the cells of one notebook in order until the end, or until something ends it."""

    def __init__(self, saved: SavedNotebook, run: EngineRun) -> None:
        self._saved, self._run = saved, run
        self._places = places(saved.nb.cells)
        self._total = sum(1 for place in self._places if place.number)
        self._step_ends_at = run.ends_at
        self._looked_at = 0.0
        self._client = CollectingClient(
            saved,
            force_raise_errors=True,
            store_widget_state=False,
            iopub_timeout=_LAST_OUTPUT_LIMIT_S,
            raise_on_iopub_timeout=False,
        )

    async def all(self) -> None:
        """Run all cells; what became of the run is left in ``run``."""
        run = self._run
        try:
            self._client.kc = await self._connected()
        except Cut as cut:
            run.reason = str(cut)
            return
        try:
            run.complete = await self._in_order() or run.complete
        finally:
            self._client.kc.stop_channels()
            run.feed.look()

    async def _in_order(self) -> bool:
        """Run cell after cell; tell whether the last one was reached."""
        for index, place in enumerate(self._places):
            try:
                goes_on = await self._cell(index, place)
            except Cut as cut:
                self._run.reason, goes_on = str(cut), False
            if not goes_on:
                self._run.stopped_at = place.title
                return False
        return True

    async def _connected(self) -> AsyncKernelClient:
        """Return a client of the kernel once it answers, and its output arrives."""
        kernel, starts_by = self._run.kernel, time.monotonic() + _START_LIMIT_S
        self._run.feed.look()
        while not kernel.listening():
            self._check_start(starts_by)
            await asyncio.sleep(0.005)
        client = AsyncKernelClient(connection_file=str(kernel.connection))
        client.load_connection_file()
        client.start_channels(stdin=False, hb=False, control=False)
        try:
            while not await _answers(client):
                self._check_start(starts_by)
        except Cut:
            client.stop_channels()
            raise
        return client

    def _check_start(self, starts_by: float) -> None:
        kernel = self._run.kernel
        if not kernel.alive():
            reason = f"the kernel did not start: {kernel.cause_of_death()}"
            raise Cut("KernelDied", reason)
        if time.monotonic() > starts_by:
            reason = f"the kernel did not answer within {words(_START_LIMIT_S)}"
            raise Cut("KernelDied", reason)
        self._check(CellPlace(number=0, title="the beginning"))

    async def _cell(self, index: int, place: CellPlace) -> bool:
        """Run one cell; tell whether the run goes on."""
        cell = self._saved.nb.cells[index]
        if cell.cell_type != "code" or not cell.source.strip():
            self._saved.cell_start(cell, index)
            self._saved.cell_complete(cell, index)
            return True
        run = self._run
        self._step_ends_at = time.monotonic() + run.step_limit_s
        self._check(place)
        if place.number:
            run.progress.step(place.number, self._total, place.title)
        self._saved.cell_start(cell, index)
        try:
            await self._executed(cell, index, place)
        except CellExecutionError as error:
            return self._failed(cell, index, place, error)
        except Cut as cut:
            self._cut(cell, index, cut)
            raise
        else:
            run.steps_run += bool(place.number)
            return True
        finally:
            self._saved.cell_complete(cell, index)
            run.feed.look()

    async def _executed(self, cell: Any, index: int, place: CellPlace) -> None:
        """Have the kernel execute a cell, and meanwhile save, look and watch."""
        task = asyncio.ensure_future(self._client.async_execute_cell(cell, index))
        try:
            # The kernel has the cell after this; a save of those before costs no time.
            await asyncio.sleep(0)
            self._save()
            while not (await asyncio.wait({task}, timeout=_TICK_S))[0]:
                self._check(place)
                self._tick()
            task.result()
        except Cut:
            # What the cell said before is still on the way.
            await asyncio.wait({task}, timeout=_TICK_S)
            raise
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _check(self, place: CellPlace) -> None:
        """Raise Cut if the run must not go on."""
        run, now = self._run, time.monotonic()
        if run.interruption.caught:
            raise Cut("Interrupted", "interrupted")
        if not run.kernel.alive():
            reason = f"kernel died at step {place.title!r} ({run.kernel.cause_of_death()})"
            raise Cut("KernelDied", reason)
        if now > run.ends_at:
            raise Cut("TimeLimit", f"time limit: the run took longer than {words(run.limit_s)}")
        if now > self._step_ends_at:
            limit = words(run.step_limit_s)
            raise Cut("TimeLimit", f"time limit: a step took longer than {limit}")

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._looked_at > _LOOK_EVERY_S:
            self._looked_at = now
            self._run.feed.look()
        self._save()

    def _save(self) -> None:
        """Write the copy, if it lacks something and was not written just now.

        The board changes with each step: masking and writing all of it anew for every one would
        take more than most steps do.
        """
        if self._saved.stale and time.monotonic() - self._saved.written_at > _SAVE_EVERY_S:
            self._saved.write()

    def _failed(self, cell: Any, index: int, place: CellPlace, error: CellExecutionError) -> bool:
        run = self._run
        run.steps_run += bool(place.number)
        said = self._saved.plain(error.evalue)
        if error.ename != "RunStopped":
            run.reason = f"{error.ename}: {said}"
            self._saved.cell_exception(cell, cell_index=index, exception=error)
            return False
        # A clean end is no error: papermill would raise for such an output.
        run.complete, run.reason = True, f"stopped: {said}"
        cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
        cell.outputs.append(new_output("stream", name="stdout", text=f"Stopped: {error.evalue}\n"))
        return False

    def _cut(self, cell: Any, index: int, cut: Cut) -> None:
        self._run.kernel.end()
        text = f"{cut.name}: {cut}"
        said = new_output("error", ename=cut.name, evalue=str(cut), traceback=[text])
        cell.outputs.append(said)
        self._saved.cell_exception(cell, cell_index=index, exception=cut)


async def _answers(client: AsyncKernelClient) -> bool:
    """Ask the kernel what it is; tell whether both the answer and its output channel came.

    A subscription takes a moment to arrive, and what is published before is lost.
    """
    client.kernel_info()
    try:
        await client.get_shell_msg(timeout=1)
        await client.get_iopub_msg(timeout=0.2)
    except Empty:
        return False
    return True
