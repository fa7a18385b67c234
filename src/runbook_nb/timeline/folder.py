"""The folder of incidents: where it is, and which names may stand in it."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError
from runbook_nb.project import Project
from runbook_nb.redaction import Redactor

INCIDENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


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
