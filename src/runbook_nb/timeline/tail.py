"""The end of a timeline, read without the rest: closed incidents are the many."""

import json
from pathlib import Path
from typing import Final

_TAIL: Final = 65_536  # bytes; an event is cut long before


def is_closed(timeline: Path) -> bool:
    """Tell whether an event at the end of a timeline says that the incident was closed.

    Only testimony of what was sent before can follow a close, so its line is among the last.
    """
    with timeline.open("rb") as file:
        size = file.seek(0, 2)
        start = max(0, size - _TAIL)
        file.seek(start)
        lines = file.read().split(b"\n")
        # The first one may have begun before; where it is the only one, all is read.
        whole = lines[1:] if start else lines
        if start and not any(whole):
            file.seek(0)
            whole = file.read().split(b"\n")
    return any(_kind(line) == "closed" for line in whole)


def _kind(line: bytes) -> str:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return str(event.get("kind", "")) if isinstance(event, dict) else ""
