"""The folder of incidents and that of one incident: the only place that knows their paths."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError
from runbook_nb.project import Project
from runbook_nb.redaction import Redactor

INCIDENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

# What lies in the folder of one incident.
TIMELINE: Final = "timeline.jsonl"
RUNS: Final = "runs"  # executed copies, and what the close keeps of the working copies
WORKING: Final = "working"  # where responders run notebooks
PAGE: Final = "record.html"
FACTS: Final = "record.json"
ENVELOPE: Final = "record.dsse.json"
RECORDED: Final = (PAGE, FACTS, ENVELOPE)  # made of all the others
TURN: Final = ".acting"  # the lock that whoever acts holds
RESULTS: Final = ".results"  # what an undo needs whole; its owner's alone, gone with the close
CHECKPOINTS: Final = ".ipynb_checkpoints"  # JupyterLab's own, beside a notebook


@dataclass(frozen=True)
class IncidentFolder:
    """The paths of one incident; nothing needs to be there yet."""

    path: Path

    @classmethod
    def of_working_copy(cls, copy: Path) -> "IncidentFolder | None":
        """Return the incident that a working copy belongs to; None for any other file."""
        folder = cls(copy.parent.parent)
        is_copy = copy.parent.name == WORKING and folder.is_incident and folder.is_own
        return folder if is_copy else None

    @property
    def name(self) -> str:
        """The incident's id."""
        return self.path.name

    @property
    def incidents(self) -> "IncidentsFolder":
        """The folder of all incidents that this one lies in."""
        return IncidentsFolder(self.path.parent)

    @property
    def is_incident(self) -> bool:
        """Whether an incident is here: it has a timeline."""
        return self.timeline.is_file()

    @property
    def is_own(self) -> bool:
        """Whether a folder stands here that no stranger put here; true where nothing stands.

        It is no link, and belongs to this user, to root, or to whoever owns all incidents.
        """
        try:
            found = self.path.lstat()
            owners = {os.geteuid(), 0, self.path.parent.stat().st_uid}
        except OSError:
            return True
        return not stat.S_ISLNK(found.st_mode) and found.st_uid in owners

    @property
    def timeline(self) -> Path:
        """The timeline: the truth."""
        return self.path / TIMELINE

    @property
    def page(self) -> Path:
        """The record as a page."""
        return self.path / PAGE

    @property
    def facts(self) -> Path:
        """The record as facts."""
        return self.path / FACTS

    @property
    def envelope(self) -> Path:
        """The seal over everything else."""
        return self.path / ENVELOPE

    @property
    def turn(self) -> Path:
        """The lock that whoever acts holds, so that no two do at once."""
        return self.path / TURN

    @property
    def results(self) -> Path:
        """The folder of what done actions returned, whole, while the incident is open."""
        return self.path / RESULTS

    def executed(self, run: str) -> Path:
        """Return the executed copy of a run."""
        return self.path / RUNS / f"{run}.ipynb"

    def kept(self, run: str) -> Path:
        """Return the copy that the close keeps of what was run by hand."""
        return self.executed(f"{run}-by-hand")

    def all_executed(self) -> list[Path]:
        """Return the notebooks of all runs, oldest first."""
        return sorted((self.path / RUNS).glob("*.ipynb"))

    def all_kept(self, runbook: str) -> list[Path]:
        """Return what the close kept of one runbook, oldest first."""
        return sorted((self.path / RUNS).glob(f"*-{runbook}-by-hand.ipynb"))

    def working_copy(self, name: str) -> Path:
        """Return the working copy of that file name."""
        return self.path / WORKING / name

    def working_copies(self) -> list[Path]:
        """Return all working copies by name."""
        return sorted((self.path / WORKING).glob("*.ipynb"))


@dataclass(frozen=True)
class IncidentsFolder:
    """The paths beside all incidents: locks, what is kept for speed, and what drills left."""

    path: Path

    @property
    def lock(self) -> Path:
        """The lock over all incidents, so that one alert delivered twice opens one."""
        return self.path / ".lock"

    @property
    def open_index(self) -> Path:
        """Which open incident an alert belongs to; it can be made anew."""
        return self.path / ".open"

    @property
    def history(self) -> Path:
        """The index of all incidents; it can be made anew."""
        return self.path / ".history.sqlite3"

    @property
    def jupyterlab(self) -> Path:
        """The folder of the JupyterLab that serves these incidents."""
        return self.path / ".jupyterlab"

    def asked(self, incident: str, copy: str) -> Path:
        """Return where it stands that a working copy's kernel waits for an answer."""
        return self.jupyterlab / "asked" / f"{incident}-{copy}.json"

    @property
    def review(self) -> Path:
        """What was decided about the remarks of all incidents."""
        return self.path / ".review.json"

    def validations(self, runbook: str) -> Path:
        """Return the folder of the journals of a runbook's validations."""
        return self.path / ".validations" / runbook

    def incident(self, incident: str) -> IncidentFolder:
        """Return the folder of one incident.

        Raises ParameterError for what can be no id, and for a link or a folder of somebody else.
        """
        folder = IncidentFolder(self.path / checked_id(incident))
        if not folder.is_own:
            message = (
                f"{folder.path} is a link or belongs to another user, so nothing was read or "
                "written there. Look who put it there; use another incident id meanwhile."
            )
            raise ParameterError(message)
        return folder

    def all(self) -> Iterator[IncidentFolder]:
        """Return every incident by name; links and folders of others are left out."""
        found = (IncidentFolder(path.parent) for path in sorted(self.path.glob(f"*/{TIMELINE}")))
        return (folder for folder in found if folder.is_own)

    def newest_first(self) -> list[IncidentFolder]:
        """Return every incident, the one that was written last first."""
        return sorted(self.all(), key=lambda each: -each.timeline.stat().st_mtime)


def incidents_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of all incidents: ``RUNBOOK_INCIDENTS``, the project's, or one here."""
    if configured := environ.get("RUNBOOK_INCIDENTS"):
        return Path(configured).absolute()
    project = Project.find(environ=environ)
    return project.incidents if project else Path("incidents").absolute()


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
