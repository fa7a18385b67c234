"""The files of the lab's alerting: as they are shipped, and put back."""

import json
import os
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.alerting.weeks import FOLDER, Weeks, write_weeks
from runbook_nb.timeline.store.embedded.files import write_whole

RULES: Final = "rules.yml"
ROUTES: Final = "alertmanager.yml"
SILENCES: Final = "silences.json"
# Older than the weeks, as rules that nobody has looked at since are.
_UNTOUCHED: Final = timedelta(days=60)


def shipped(name: str) -> str:
    """Return a file as the lab ships it."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def place(lab: Path, name: str) -> Path:
    """Return where a file lies in the lab's folder."""
    return lab / FOLDER / name


def put(
    lab: Path,
    *,
    weeks: Weeks,
    rules: str | None = None,
    silences: list[dict[str, Any]] | None = None,
) -> None:
    """Put all files in place, the shipped ones where none is given, as untouched for long."""
    (lab / FOLDER).mkdir(mode=0o755, exist_ok=True)
    write_weeks(lab, weeks)
    write_whole(place(lab, SILENCES), json.dumps(silences or []))
    long_ago = (datetime.now(UTC) - _UNTOUCHED).timestamp()
    for name, text in ((RULES, rules or shipped(RULES)), (ROUTES, shipped(ROUTES))):
        write_whole(place(lab, name), text)
        os.utime(place(lab, name), (long_ago, long_ago))
