"""Where a lab of this machine is, and the file in which it describes itself as an environment."""

import json
import os
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from runbook_nb.project import Project
from runbook_nb.text.files import write_atomically

LAB: Final = "lab"  # the environment that this machine starts and ends by itself
LAB_PACK: Final = "RUNBOOK_LAB_PACK"  # names the pack whose lab is meant where several have one
_FILE: Final = "environment.toml"


def lab_folder() -> Path:
    """Return the folder of this user's lab: ``RUNBOOK_LAB``, or one in the temporary folder.

    Each project has a lab of its own, and where several packs have one, each has a folder beside.
    """
    name = f"runbook-lab-{os.getuid()}{_of_project()}"
    folder = Path(os.environ.get("RUNBOOK_LAB", Path(tempfile.gettempdir()) / name))
    pack = os.environ.get(LAB_PACK)
    return folder.with_name(f"{folder.name}-{pack}") if pack else folder


def lab_settings_file() -> Path:
    """Return the file in which the lab describes itself; there is none while no lab runs."""
    return lab_folder() / _FILE


def write_lab_settings(folder: Path, systems: Mapping[str, Mapping[str, str | int]]) -> None:
    """Describe the lab in a folder by the settings of its systems, as any environment is."""
    tables = {LAB: {"kind": LAB}, **{f"{LAB}.{name}": found for name, found in systems.items()}}
    text = "\n".join(_table(name, values) for name, values in tables.items())
    write_atomically(folder / _FILE, text)


def forget_lab_settings(folder: Path) -> None:
    """Take the description away: from now on each check says which setting it lacks."""
    (folder / _FILE).unlink(missing_ok=True)


def _of_project() -> str:
    project = Project.find()
    return f"-{sha256(os.fsencode(project.root)).hexdigest()[:8]}" if project else ""


def _table(name: str, values: Mapping[str, str | int]) -> str:
    # JSON's strings and numbers are TOML's too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[environments.{name}]", *lines, ""])
