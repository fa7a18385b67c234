"""Run a notebook by papermill: the facade of kernel, engine and saved copy."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_nb.errors import ExecutionError
from runbook_nb.incident.context import RunContext
from runbook_nb.probes.environment import Environment
from runbook_nb.probes.lab_settings import LAB
from runbook_nb.probes.variables import kernel_variables
from runbook_nb.project import handed_on
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.runbook.parameters import typed
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine.interruption import Interruption
from runbook_nb.runs.engine.kernel import Kernel
from runbook_nb.runs.engine.progress import EventFeed, Execution, Progress
from runbook_nb.runs.engine.spare_kernel import SpareKernel
from runbook_nb.text.values import Json

if TYPE_CHECKING:
    from runbook_nb.runs.engine.cells import EngineRun

__all__ = ["Execution", "execute"]


def execute(
    runbook: Runbook,
    *,
    parameters: Mapping[str, Json],
    context: RunContext,
    redactor: Redactor,
    progress: Progress,
    limit_s: float = 1800,
    step_limit_s: float = 900,
    ready: SpareKernel | None = None,
) -> Execution:
    """Run the text of ``context.notebook`` and return what became of it.

    The notebook itself is only read. Its executed copy lies in the folder of the incident, saved as
    it runs. ``limit_s`` is for the whole run and ``step_limit_s`` for each step, in seconds. The
    kernel comes from ``ready``, where a series keeps one. A signal, a passed limit, a dead kernel
    and an error in a cell end the run and are told in the result. Raises ParameterError before
    anything is started, SettingMissingError for an unknown environment, and ExecutionError if no
    kernel can be started or the notebook cannot be read.
    """
    values = typed(runbook, parameters)
    began = time.monotonic()
    environment = Environment.load(str(values.get("environment", LAB)))
    environ = kernel_variables(
        {**os.environ, **handed_on(), **context.to_environ()},
        environment=environment.name,
        named=environment.named_variables,
    )
    kernel_for = ready.take if ready else Kernel
    with Interruption() as interruption, kernel_for(environ) as kernel:
        progress.begin(len(runbook.steps), runbook)
        # While the kernel starts, this process imports papermill, which takes as long.
        lean_imports()
        from runbook_nb.runs.engine.cells import EngineRun

        run = EngineRun(
            kernel=kernel,
            interruption=interruption,
            notebook=context.folder.executed(context.run),
            redactor=redactor,
            progress=progress,
            feed=EventFeed(context.folder.timeline, run=context.run, progress=progress),
            ends_at=began + limit_s,
            limit_s=limit_s,
            step_limit_s=step_limit_s,
        )
        try:
            _by_papermill(context.notebook, values, run)
        finally:
            run.kernel.end()
            execution = _execution(run, total=len(runbook.steps), took_s=time.monotonic() - began)
            progress.end(execution)
    return execution


def _execution(run: "EngineRun", *, total: int, took_s: float) -> Execution:
    return Execution(
        notebook=run.notebook,
        complete=run.complete,
        reason=run.reason,
        stopped_at=run.stopped_at,
        steps_run=run.steps_run,
        steps_total=total,
        took_s=took_s,
    )


def _by_papermill(notebook: Path, values: Mapping[str, Json], run: "EngineRun") -> None:
    import papermill

    from runbook_nb.runs.engine.papermill_engine import NAME

    try:
        papermill.execute_notebook(
            # Papermill formats paths with the parameters; doubled braces mean themselves.
            str(notebook).replace("{", "{{").replace("}", "}}"),
            # The engine saves, masked and whole; papermill itself would write what it holds.
            None,
            parameters=dict(values),
            engine_name=NAME,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            run=run,
        )
    except papermill.PapermillExecutionError:
        # The engine has told the truth in ``run``; papermill raises once more for its outputs.
        return
    except Exception as error:
        run.complete, run.reason = False, f"{notebook.name} could not be run: {error}"
        raise ExecutionError(run.reason) from error
