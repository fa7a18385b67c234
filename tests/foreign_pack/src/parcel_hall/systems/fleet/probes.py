"""Which machines run."""

import json
from collections.abc import Sequence

from runbook_nb import NoAnswerError, Reading, Systems, probe


@probe(unit="scanners")
def scanners_running(systems: Systems) -> Reading:
    """Return how many scanners have a process; a hung one has one too."""
    words = (systems.setting("fleet", "program"), "get", "scanners", "--output=json")
    output = systems.command("fleet").run(words, writes=_writes)
    if output.code != 0:
        message = f"hallctl ended with exit code {output.code}: {output.errors[:200]}"
        raise NoAnswerError(message)
    items = json.loads(output.text)["items"]
    running = [item for item in items if item["status"]["phase"] == "Running"]
    return Reading(value=len(running), detail=items)


def _writes(words: Sequence[str]) -> str:
    """Say why the words may change a machine; nothing where they only read."""
    verb = words[1] if len(words) > 1 else ""
    return "" if verb == "get" else f"{verb!r} is not the reading verb of hallctl"
