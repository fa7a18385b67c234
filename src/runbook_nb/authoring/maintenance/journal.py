"""The journals of a validation: what Chaos Toolkit wrote, without facts about the machine.

They lie beside the incidents that the drills made, not in git: a drill adds about 7 kB, 19
runbooks a megabyte each quarter. The row in the runbook's log names the commit, which git keeps.
"""

import json
import re
import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.incident.context import user_name
from runbook_nb.redaction import Redactor
from runbook_nb.text.files import write_atomically
from runbook_nb.text.values import Json
from runbook_nb.timeline.folder import IncidentsFolder

# Which machine it was does not matter to the reader, and says too much to strangers.
_HOST_FACTS: Final = frozenset({"node", "platform", "chaoslib-version"})
_SHORTEST_NAME: Final = 4  # a shorter host or user name is a word of other texts too


def write_journal(
    incidents: Path, *, runbook: str, at: datetime, facts: Mapping[str, Json], redactor: Redactor
) -> Path:
    """Write the journal of one validation, masked, and return its file."""
    path = IncidentsFolder(incidents).validations(runbook) / f"{at:%Y%m%dT%H%M%SZ}.json"
    masked = redactor.clean(without_host(facts))
    write_atomically(path, json.dumps(masked, indent=1, ensure_ascii=False) + "\n", private=True)
    return path


def without_host(value: Any, hidden: Mapping[str, str] | None = None) -> Any:
    """Return a journal without the facts of the machine, and its paths and names replaced."""
    hidden = _hidden() if hidden is None else hidden
    if isinstance(value, Mapping):
        return {
            key: _last_words(item, hidden) if key == "exception" else without_host(item, hidden)
            for key, item in value.items()
            if key not in _HOST_FACTS
        }
    if isinstance(value, list | tuple):
        return [without_host(item, hidden) for item in value]
    if isinstance(value, str):
        for found, instead in hidden.items():
            value = re.sub(rf"(?<![\w-]){re.escape(found)}(?![\w-])", instead, value)
    return value


def _last_words(trace: Any, hidden: Mapping[str, str]) -> Any:
    """Keep what an exception says; the lines before it are paths of this machine."""
    lines = trace if isinstance(trace, list) else [trace]
    said = [str(line).strip() for line in lines if str(line or "").strip()]
    return [without_host(line, hidden) for line in said[-1:]]


def _hidden() -> dict[str, str]:
    """Return what is replaced: longer places first, since they contain the shorter ones."""
    places = {str(Path.cwd()): "(working folder)", str(Path.home()): "~"}
    names = {socket.gethostname(): "(host)", user_name(): "(user)"}
    kept = {name: said for name, said in names.items() if len(name) >= _SHORTEST_NAME}
    roots = {place: said for place, said in places.items() if place != "/"}
    return dict(sorted({**roots, **kept}.items(), key=lambda pair: -len(pair[0])))
