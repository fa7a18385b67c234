"""What a run knows about itself, handed from the command to the kernel by the environment."""

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError
from runbook_nb.redaction import Redactor

WORKING: Final = "working"  # the folder of an incident where responders run notebooks
INCIDENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


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
    def folder(self) -> Path:
        """The folder of this incident."""
        return self.incidents / self.incident

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
        """Return the context a command handed down, or that of a notebook opened on its own."""
        from runbook_nb.runbook import runbooks_folder

        working = _working_copy(Path.cwd(), runbook)
        if working and incident not in ("", working["RUNBOOK_INCIDENT"]):
            message = (
                f"This working copy belongs to {working['RUNBOOK_INCIDENT']}, and its parameter "
                f"says {incident}. Open another: runbook open {runbook} --incident {incident}"
            )
            raise ParameterError(message)
        environ = {**working, **environ}
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
            actor=environ.get("RUNBOOK_ACTOR") or actor(),
            attended=environ.get("RUNBOOK_ATTENDED", "1") == "1",
            option=environ.get("RUNBOOK_OPTION", ""),
        )


def _working_copy(here: Path, runbook: str) -> dict[str, str]:
    """Return the context of a kernel that JupyterLab started beside a working copy, else nothing.

    One server serves several incidents, so its own environment names none of them.
    """
    copy = here / f"{runbook}.ipynb"
    if here.name != WORKING or not copy.is_file() or not (here.parent / "timeline.jsonl").is_file():
        return {}
    return {
        "RUNBOOK_INCIDENTS": str(here.parent.parent),
        "RUNBOOK_INCIDENT": here.parent.name,
        "RUNBOOK_NOTEBOOK": str(copy),
    }


def incidents_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of all incidents: ``RUNBOOK_INCIDENTS``, or ``incidents`` here."""
    return Path(environ.get("RUNBOOK_INCIDENTS", "incidents")).absolute()


def checked_id(incident: str) -> str:
    """Return an incident id that is safe as a folder name; raises ParameterError."""
    if not INCIDENT_ID.fullmatch(incident):
        message = (
            f"{incident!r} cannot be an incident id: use letters, digits, dots, dashes and "
            "underscores, at most 64, beginning with a letter or digit (INC-2041)."
        )
        raise ParameterError(message)
    if Redactor().mask(incident) != incident:
        # A folder's name is in every path and cannot be masked afterwards.
        message = "This incident id looks like a secret. Choose another one, such as INC-2041."
        raise ParameterError(message)
    return incident


def new_run_id(runbook: str, now: datetime | None = None) -> str:
    """Return an id for a run: its time in UTC and its runbook."""
    return f"{(now or datetime.now(UTC)):%Y%m%dT%H%M%S.%fZ}-{runbook}"


def actor(environ: Mapping[str, str] = os.environ) -> str:
    """Return who acts: ``RUNBOOK_ACTOR``, or the user of this machine."""
    return environ.get("RUNBOOK_ACTOR") or getpass.getuser()
