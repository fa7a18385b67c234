"""Errors of runbook_nb: each says what went wrong, where, and what to do next.

::

    RunbookError
    ├── RunbookFormatError
    │   └── PairConflictError
    ├── RunbookNotFoundError
    ├── ProjectError
    ├── ParameterError
    ├── SettingMissingError
    ├── BaselineError
    ├── IncidentStateError
    │   ├── FencedError
    │   └── TurnTakenError
    ├── StepNotFoundError
    ├── NoAnswerError
    ├── ActionError
    │   └── NothingDoneError
    ├── ApprovalError
    │   └── ApprovalWaitsError
    ├── WriteRefusedError
    ├── StoreUnavailableError
    ├── OrderError
    ├── ExecutionError
    ├── RecordIntegrityError
    ├── DatabaseServerError
    ├── LabError
    └── DrillError
"""

import difflib
from collections.abc import Iterable
from typing import Final

# All runbooks of a team fit into a sentence; all faults of a lab do not.
_TOLD: Final = 24


class RunbookError(Exception):
    """Something went wrong that the caller can put right."""

    exit_code = 3

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)

    def _render_traceback_(self) -> list[str]:
        """Show one line in a notebook: the message says what, where and what next."""
        return [f"{type(self).__name__}: {self}"]


class RunbookFormatError(RunbookError):
    """The notebook is not a valid runbook; run `runbook lint` for the cell and the fix."""


class PairConflictError(RunbookFormatError):
    """Markdown and notebook of a pair were both edited; nothing was written."""

    def __init__(self, message: str | None = None, *, diff: str = "") -> None:
        super().__init__(message)
        self.diff = diff


class RunbookNotFoundError(RunbookError):
    """No runbook of that name; `runbook list` shows those that exist."""


class ProjectError(RunbookError):
    """There is no project here, or its file is wrong; `runbook init` makes a project."""


class ParameterError(RunbookError):
    """A parameter is unknown or has a wrong value; nothing was started."""


class SettingMissingError(RunbookError):
    """A setting is missing; add it to the settings file or the environment variables."""


class BaselineError(RunbookError):
    """A baseline cannot be used or changed; `runbook baseline --help` says how one is taken."""


class IncidentStateError(RunbookError):
    """The incident is not in a state that allows this."""


class FencedError(IncidentStateError):
    """Another worker has taken this run over; what this one would still say was not written."""


class TurnTakenError(IncidentStateError):
    """Somebody else acts in this incident; nothing was done."""


class StepNotFoundError(RunbookError):
    """No step of that title has run."""


class NoAnswerError(RunbookError):
    """The system answered, but not with enough to judge; the verdict is unknown."""


class ActionError(RunbookError):
    """The action failed and may be half done; the timeline holds what was sent."""


class NothingDoneError(ActionError):
    """The action failed before it changed anything; it may be tried again."""


class ApprovalError(RunbookError):
    """The approval does not cover this action."""


class ApprovalWaitsError(ApprovalError):
    """Nothing can be approved yet; a run goes on, and may find something else."""


class WriteRefusedError(RunbookError):
    """A probe tried to write; probes may only read."""


class StoreUnavailableError(RunbookError):
    """The store cannot be used; nothing was done."""


class OrderError(RunbookError):
    """No such order, or it is not one that this can be done with."""


class ExecutionError(RunbookError):
    """The notebook stopped before its end; its saved copy shows where."""


class RecordIntegrityError(RunbookError):
    """A file of the record does not match what was written when it was made."""


class DatabaseServerError(RunbookError):
    """A PostgreSQL that we run ourselves could not be started or stopped, or does not run."""


class LabError(RunbookError):
    """The lab could not be started or stopped; `runbook lab down` cleans up."""


class DrillError(RunbookError):
    """The lab was not healthy before the drill, or was not healed after it."""


def near(name: str, known: Iterable[str]) -> str:
    """Say which known names are near ``name``, as the end of an error message.

    Where none is near, the first of them are told: a longer list is not read.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"Did you mean {' or '.join(repr(word) for word in close)}?"
    more = f", and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return f"Known: {', '.join(names[:_TOLD])}{more}." if names else "None is known yet."
