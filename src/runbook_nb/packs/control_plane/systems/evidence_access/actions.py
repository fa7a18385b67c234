"""How evidence is withheld until it is reviewed."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems._database.exposures import UNREVIEWED
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems._database.snapshot_files import demand_sealed
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

OBJECT: Final = "/storage/v1/object"
COPY: Final = "/storage/v1/object/copy"
MOVED: Final = """
update mission_artifacts
set storage_path = %(path)s,
    metadata = case when %(from)s::text is null then metadata - 'withheld_from'
                    else metadata || jsonb_build_object('withheld_from', %(from)s::text) end
where id = %(artifact)s::uuid and storage_path = %(was)s
returning id
"""
# The service says 400 to whatever it refuses; the body says why.
REFUSED: Final = 400


@action(timeout_s=120, repeatable=True, contained=True)
def withhold(systems: Systems) -> Json:
    """Move each unreviewed artifact that was shown into the bucket that nobody reads.

    The copy is made and the row set before the old object goes; links that are out end with it.
    Raises NothingDoneError where the newest sealed snapshot does not hold them.
    """
    bucket = systems.setting("supabase_storage", "withheld_bucket")
    rows = systems.database().rows(UNREVIEWED, withheld=bucket)
    snapshot = demand_sealed(systems, {("unreviewed evidence", row["evidence"]) for row in rows})
    artifacts = {row["artifact"]: row["storage_path"] for row in rows if row["storage_path"]}
    moved = [
        _move(systems, artifact, path, f"{bucket}/{path}") for artifact, path in artifacts.items()
    ]
    return {"withheld": moved, "sealed in": snapshot.folder.name}


@withhold.rehearsal
def _(systems: Systems) -> Json:
    bucket = systems.setting("supabase_storage", "withheld_bucket")
    rows = systems.database().rows(UNREVIEWED, withheld=bucket)
    return {"would withhold": sorted({row["artifact"] for row in rows}), "in": bucket}


@withhold.undo
def _(systems: Systems, result: Json) -> Json:
    back = [
        _move(systems, each["artifact"], each["to"], each["from"], back=True)
        for each in result["withheld"]
    ]
    return {"shown again": [each["artifact"] for each in back]}


def _move(
    systems: Systems, artifact: str, path: str, to: str, *, back: bool = False
) -> Mapping[str, Any]:
    storage = systems.http("supabase_storage")
    bucket, _, name = path.partition("/")
    there, _, place = to.partition("/")
    body = {
        "bucketId": bucket,
        "sourceKey": name,
        "destinationBucket": there,
        "destinationKey": place,
    }
    answer = storage.request("POST", COPY, json=body, headers={"x-upsert": "true"})
    if answer.status_code == REFUSED:
        message = f"Artifact {artifact} could not be moved: {answer.json().get('message')}."
        raise ActionError(message)
    answer.raise_for_status()
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        came_from = None if back else path
        database.rows(MOVED, artifact=artifact, path=to, was=path, **{"from": came_from})
    storage.request("DELETE", f"{OBJECT}/{quote(path)}").raise_for_status()
    return {"artifact": artifact, "from": path, "to": to}
