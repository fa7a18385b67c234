"""Validations on the running lab."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from runbook_nb.authoring.drills import DrillResult, alone_on_lab, run_drill
from runbook_nb.authoring.maintenance.commit import commit_of
from runbook_nb.authoring.maintenance.validation import Validation, Validator
from runbook_nb.errors import RunbookError
from runbook_nb.probes.environment import Environment
from runbook_nb.runbook import runbooks_folder
from runbook_nb.runbook.drill import Drill
from runbook_nb.runs.engine.progress import for_stream
from runbook_nb.runs.engine.spare_kernel import SpareKernel


@contextmanager
def lab_validator(
    *, incidents: Path, validator: str, stream: TextIO, say: Callable[[str], None]
) -> Iterator[Validator]:
    """Give a validator whose drills run on the lab and are shown live on a stream."""
    with SpareKernel() as ready:

        def run(drill: Drill) -> DrillResult:
            return run_drill(drill, progress=for_stream(stream), say=say, ready=ready)

        yield Validator(
            incidents=incidents,
            run_drill=run,
            validator=validator,
            commit=commit_of(runbooks_folder()),
            redactor=lambda: Environment.load("lab").redactor(),
            say=say,
        )


def validate_each(
    validator: Validator, names: Iterable[str]
) -> Iterator[tuple[str, Validation | RunbookError]]:
    """Validate one runbook after the other; one that cannot be validated gives its error."""
    for name in names:
        try:
            with alone_on_lab():
                outcome = validator.validate(name)
        except RunbookError as error:
            yield name, error
        else:
            yield name, outcome
