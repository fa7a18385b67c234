"""The objects in Supabase Storage that the database's artifacts point to.

A database restore does not bring them back: backups hold the rows about objects, never the objects.
A path in the database begins with the bucket: ``evidence/<mission>/<artifact>.json``. The setting
``versions_bucket`` names the bucket that keeps a copy of each object under its whole path.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from runbook_nb.errors import ActionError, NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.probes.connections import Http
from runbook_nb.text.values import Json

OBJECT: Final = "/storage/v1/object"
COPY: Final = "/storage/v1/object/copy"

INFO: Final = "/storage/v1/object/info"

# The service says 400 to whatever it refuses; only the body tells a missing object by its 404.
REFUSED: Final = frozenset({400, 404})

NEWEST: Final = """
select id, mission_id, storage_path, hash
from mission_artifacts
where storage_path is not null
order by created_at desc, id
limit %(newest)s
"""


@probe(unit="objects", timeout_s=60)
def missing(systems: Systems, *, newest: int = 200) -> Reading:
    """Count the newest artifacts whose object is not in Storage."""
    gone = list(_gone(systems, newest))
    return Reading(value=len(gone), detail=gone)


@probe(unit="objects", timeout_s=60)
def altered(systems: Systems, *, newest: int = 50) -> Reading:
    """Count the newest artifacts whose object has another SHA-256 than its row; missing ones not.

    Raises NoAnswerError when no object could be read.
    """
    storage, wrong, read = systems.http("supabase_storage"), [], 0
    for artifact in _artifacts(systems, newest):
        answer = storage.get(_address(artifact["storage_path"]))
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


@action(timeout_s=600, repeatable=True)
def put_back(systems: Systems, *, newest: int = 200) -> Json:
    """Copy the missing objects back from the bucket of versions; existing ones are not touched."""
    storage, put, nowhere = systems.http("supabase_storage"), [], []
    versions = systems.setting("supabase_storage", "versions_bucket")
    for artifact in list(_gone(systems, newest)):
        path = artifact["storage_path"]
        bucket, _, name = path.partition("/")
        wanted = {"bucketId": versions, "sourceKey": path}
        target = {"destinationBucket": bucket, "destinationKey": name}
        answer = storage.request("POST", COPY, json={**wanted, **target})
        if answer.status_code in REFUSED:
            nowhere.append({"path": path, "answer": answer.json()})
        else:
            answer.raise_for_status()
            put.append(path)
    if nowhere and not put:
        message = f"No version of the {len(nowhere)} missing objects is kept: {nowhere[0]}."
        raise ActionError(message)
    return {"put back": put, "no version kept": nowhere}


@put_back.rehearsal
def _(systems: Systems, *, newest: int = 200) -> Json:
    storage = systems.http("supabase_storage")
    versions = systems.setting("supabase_storage", "versions_bucket")
    paths = [artifact["storage_path"] for artifact in _gone(systems, newest)]
    kept = [path for path in paths if _is_there(storage, f"{versions}/{path}")]
    return {"would put back": kept, "no version kept": sorted(set(paths) - set(kept))}


@put_back.undo
def _(systems: Systems, result: Json, *, newest: int = 200) -> Json:  # noqa: ARG001
    storage = systems.http("supabase_storage")
    for path in result["put back"]:
        storage.request("DELETE", _address(path)).raise_for_status()
    return {"deleted": result["put back"]}


def _gone(systems: Systems, newest: int) -> Iterator[dict[str, Any]]:
    storage = systems.http("supabase_storage")
    for artifact in _artifacts(systems, newest):
        if not _is_there(storage, artifact["storage_path"]):
            yield artifact


def _is_there(storage: Http, path: str) -> bool:
    answer = storage.request("HEAD", _address(path))
    if answer.status_code not in REFUSED:
        answer.raise_for_status()
        return True
    said = storage.get(f"{INFO}/{quote(path)}").json()
    if str(said.get("statusCode")) != "404" or "Bucket" in str(said.get("message")):
        message = f"Storage refused to say whether {path} is there: {said.get('message')}."
        raise NoAnswerError(message)
    return False


def _artifacts(systems: Systems, newest: int) -> list[dict[str, Any]]:
    found = systems.database().rows(NEWEST, newest=newest)
    if not found:
        message = "No artifact says where its object is."
        raise NoAnswerError(message)
    return found


def _address(path: str) -> str:
    return f"{OBJECT}/{quote(path)}"
