"""The papermill engine of this package: tells the truth about every cell.

Papermill reads the notebook, injects the parameters and calls this engine. The stock engine
writes that every cell completed when the kernel died or time ran out; this one does not.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from papermill.engines import Engine, papermill_engines

from runbook_nb.runs.engine.cells import CellRunner, EngineRun
from runbook_nb.runs.engine.saved_notebook import SavedNotebook

NAME: Final = "runbook"
T = TypeVar("T")


class RunbookEngine(Engine):  # type: ignore[misc]  # papermill is untyped
    """Runs a notebook on the kernel of a ``Run`` and fills in what became of it."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, *, run: EngineRun, **_: Any) -> Any:
        """Run the cells and return the notebook; papermill calls this."""
        del kernel_name
        saved = SavedNotebook(nb, path=run.notebook, redactor=run.redactor)
        saved.notebook_start()
        try:
            _blocking(CellRunner(saved, run).all())
        finally:
            run.kernel.end()
            saved.notebook_complete()
        return saved.nb


papermill_engines.register(NAME, RunbookEngine)


def _blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also for a caller that is itself inside an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
