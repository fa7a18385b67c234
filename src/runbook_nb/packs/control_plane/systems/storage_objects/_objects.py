"""The artifacts' objects, and whether the store has them."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Http

OBJECT: Final = "/storage/v1/object"
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


def lost_objects(systems: Systems, newest: int) -> Iterator[dict[str, Any]]:
    """Yield the newest artifacts whose object is gone."""
    storage = systems.http("supabase_storage")
    for artifact in newest_artifacts(systems, newest):
        if not is_there(storage, artifact["storage_path"]):
            yield artifact


def is_there(storage: Http, path: str) -> bool:
    """Tell whether the store has an object; raises where it does not say."""
    answer = storage.request("HEAD", address_of(path))
    if answer.status_code not in REFUSED:
        answer.raise_for_status()
        return True
    said = storage.get(f"{INFO}/{quote(path)}").json()
    if str(said.get("statusCode")) != "404" or "Bucket" in str(said.get("message")):
        message = f"Storage refused to say whether {path} is there: {said.get('message')}."
        raise NoAnswerError(message)
    return False


def newest_artifacts(systems: Systems, newest: int) -> list[dict[str, Any]]:
    """Return the newest artifacts that have an object; raises NoAnswerError without one."""
    found = systems.database().rows(NEWEST, newest=newest)
    if not found:
        message = "No artifact says where its object is."
        raise NoAnswerError(message)
    return found


def address_of(path: str) -> str:
    """Return the address of an object in the store."""
    return f"{OBJECT}/{quote(path)}"
