"""What a run knows about itself, handed from the command to the kernel by the environment."""

import getpass
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from runbook_nb.errors import ParameterError, RunbookFormatError
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.people import tidy_name
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder, checked_id, incidents_folder


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """One run of one runbook within one incident.

    ``incidents`` is the folder of all incidents, ``notebook`` the file whose text runs, ``actor``
    who runs it. ``option`` is an option chosen beforehand, by heading. An attended run asks a
    person; an unattended one never does.
    """

    incidents: Path
    incident: str
    run: str
    notebook: Path
    actor: str
    attended: bool
    option: str = ""

    @property
    def folder(self) -> IncidentFolder:
        """The folder of this incident."""
        return IncidentsFolder(self.incidents).incident(self.incident)

    def to_environ(self) -> dict[str, str]:
        """Return the variables that hand this context to a kernel."""
        return {
            "RUNBOOK_INCIDENTS": str(self.incidents),
            "RUNBOOK_INCIDENT": self.incident,
            "RUNBOOK_RUN": self.run,
            "RUNBOOK_NOTEBOOK": str(self.notebook),
            "RUNBOOK_ACTOR": self.actor,
            "RUNBOOK_ATTENDED": "1" if self.attended else "0",
            "RUNBOOK_OPTION": self.option,
        }

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, str], *, incident: str, runbook: str
    ) -> "RunContext":
        """Return the context a command handed down, that of a working copy, or of a lone notebook.

        A kernel that is restarted begins a new run: only a run by command brings its id along.
        """
        from runbook_nb.runbook import runbooks_folder

        copy = None if environ.get("RUNBOOK_INCIDENT") else WorkingCopy.of_kernel(environ, runbook)
        if copy:
            return copy.context_for(incident)
        if not (environ.get("RUNBOOK_INCIDENT") or incident):
            message = (
                f"This notebook belongs to no incident. Open a working copy: runbook open {runbook}"
            )
            raise ParameterError(message)
        notebook = environ.get("RUNBOOK_NOTEBOOK") or str(runbooks_folder() / f"{runbook}.ipynb")
        return cls(
            incidents=incidents_folder(environ),
            incident=checked_id(environ.get("RUNBOOK_INCIDENT") or incident),
            run=environ.get("RUNBOOK_RUN") or new_run_id(runbook),
            notebook=Path(notebook),
            actor=actor(environ),
            attended=is_attended(environ),
            option=environ.get("RUNBOOK_OPTION", ""),
        )


@dataclass(frozen=True, kw_only=True)
class WorkingCopy:
    """A notebook that one responder works in, in its incident's folder for them.

    Where it stands says which incident it belongs to, so any editor of notebooks may open it.
    ``by`` is whom it was made for, and decides nothing: anybody can write it.
    """

    path: Path
    runbook: str
    by: str

    @property
    def folder(self) -> IncidentFolder:
        """The folder of the incident that it belongs to."""
        return IncidentFolder(self.path.parent.parent)

    @classmethod
    def read(cls, path: Path) -> "WorkingCopy | None":
        """Return the working copy at a path; None for any other file."""
        if IncidentFolder.of_working_copy(path) is None:
            return None
        try:
            document = Document.read(path)
            own = document.metadata["working_copy"]
            return cls(path=path, runbook=str(document.front["name"]), by=str(own["by"]))
        except (RunbookFormatError, OSError, KeyError, TypeError):
            return None

    @classmethod
    def of_kernel(cls, environ: Mapping[str, str], runbook: str) -> "WorkingCopy | None":
        """Return the working copy whose kernel this is.

        Jupyter's server names the notebook; other editors only start the kernel in its folder.
        """
        path = Path(environ.get("JPY_SESSION_NAME") or f"{runbook}.ipynb").absolute()
        copy = cls.read(path)
        return copy if copy and copy.runbook == runbook else None

    def context_for(self, incident: str) -> RunContext:
        """Return the context of a run by hand; raises ParameterError for another ``incident``."""
        folder = self.folder
        if incident not in ("", folder.name):
            message = (
                f"This working copy belongs to {folder.name}, and its parameter says {incident}. "
                f"Open another: runbook open {self.runbook} --incident {incident}"
            )
            raise ParameterError(message)
        return RunContext(
            incidents=folder.incidents.path,
            incident=checked_id(folder.name),
            run=_run_of_this_kernel(self.path, self.runbook),
            notebook=self.path,
            actor=actor(),
            attended=is_attended(os.environ),
        )


@cache
def _run_of_this_kernel(path: Path, runbook: str) -> str:  # noqa: ARG001 - one run for each copy
    """Return one id for all that this process runs of a copy; a restarted kernel has another."""
    return new_run_id(runbook)


def new_run_id(runbook: str, now: datetime | None = None) -> str:
    """Return an id for a run: its time in UTC and its runbook."""
    return f"{(now or datetime.now(UTC)):%Y%m%dT%H%M%S.%fZ}-{runbook}"


def is_attended(environ: Mapping[str, str]) -> bool:
    """Tell whether a person can be asked: ``RUNBOOK_ATTENDED`` says so, or else who runs this.

    JupyterLab allows a cell to ask; papermill, nbconvert, nbval and a scheduler do not. Outside a
    kernel a person sits at the terminal, if there is one.
    """
    if told := environ.get("RUNBOOK_ATTENDED"):
        return told == "1"
    request = _request_of_this_cell()
    if request is None:
        return sys.stdin is not None and sys.stdin.isatty()
    return bool(request.get("allow_stdin"))


def _request_of_this_cell() -> Mapping[str, Any] | None:
    """Return what the kernel was asked to execute; None outside a kernel."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython import get_ipython

    parent = getattr(get_ipython(), "get_parent", None)
    request: Mapping[str, Any] | None = parent()["content"] if parent else None
    return request


def actor(environ: Mapping[str, str] = os.environ) -> str:
    """Return who this process says that it acts for: ``RUNBOOK_ACTOR``, or its user."""
    return tidy_name(environ.get("RUNBOOK_ACTOR", "")) or user_name()


def user_name() -> str:
    """Return the name of the user of this machine; the number of one that has no name.

    A container runs with a number that is in no list of users.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
