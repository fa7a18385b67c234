"""How lost objects are put back."""

from typing import Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems.storage_objects._objects import (
    REFUSED,
    address_of,
    is_there,
    lost_objects,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

COPY: Final = "/storage/v1/object/copy"


@action(timeout_s=600, repeatable=True, contained=True)
def put_back(systems: Systems, *, newest: int = 200) -> Json:
    """Copy the missing objects back from the bucket of versions; existing ones are not touched."""
    storage, put, nowhere = systems.http("supabase_storage"), [], []
    versions = systems.setting("supabase_storage", "versions_bucket")
    for artifact in list(lost_objects(systems, newest)):
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
    paths = [artifact["storage_path"] for artifact in lost_objects(systems, newest)]
    kept = [path for path in paths if is_there(storage, f"{versions}/{path}")]
    return {"would put back": kept, "no version kept": sorted(set(paths) - set(kept))}


@put_back.undo
def _(systems: Systems, result: Json, *, newest: int = 200) -> Json:  # noqa: ARG001
    storage = systems.http("supabase_storage")
    for path in result["put back"]:
        storage.request("DELETE", address_of(path)).raise_for_status()
    return {"deleted": result["put back"]}
