"""What is read of the objects in the store."""

import hashlib

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.storage_objects._objects import (
    REFUSED,
    address_of,
    lost_objects,
    newest_artifacts,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="objects", timeout_s=60)
def missing(systems: Systems, *, newest: int = 200) -> Reading:
    """Count the newest artifacts whose object is not in Storage."""
    gone = list(lost_objects(systems, newest))
    return Reading(value=len(gone), detail=gone)


@probe(unit="objects", timeout_s=60)
def altered(systems: Systems, *, newest: int = 50) -> Reading:
    """Count the newest artifacts whose object has another SHA-256 than its row; missing ones not.

    Raises NoAnswerError when no object could be read.
    """
    storage, wrong, read = systems.http("supabase_storage"), [], 0
    for artifact in newest_artifacts(systems, newest):
        answer = storage.get(address_of(artifact["storage_path"]))
        if answer.status_code in REFUSED:
            continue
        if "text/html" in answer.headers.get("content-type", ""):
            message = "A page came back instead of an object, so its content cannot be told."
            raise NoAnswerError(message)
        read += 1
        digest = hashlib.sha256(answer.raise_for_status().content).hexdigest()
        if digest != artifact["hash"]:
            wrong.append({**artifact, "found": digest})
    if not read:
        message = f"None of the newest {newest} artifacts has an object to read."
        raise NoAnswerError(message)
    return Reading(value=len(wrong), detail=wrong)
