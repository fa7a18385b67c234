"""How an object is replaced: the bad one is kept aside first, and what is put is read back."""

from typing import Any, Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems.evidence_objects._artifacts import Artifact
from runbook_nb.packs.control_plane.systems.evidence_objects._content import (
    address_of,
    content_of,
    sorted_keys,
)
from runbook_nb.packs.control_plane.systems.evidence_objects._copies import GoodCopy
from runbook_nb.probes.connections import Http

COPY: Final = "/storage/v1/object/copy"
_FOLDER: Final = "kept-aside"
_MISSING: Final = "404"
_DUPLICATE: Final = "409"


def replace(storage: Http, artifact: Artifact, good: GoodCopy, *, bucket: str) -> dict[str, Any]:
    """Keep a wrong object aside in ``bucket``, put the good copy at its path, and read it back.

    Raises ActionError where that was not to be done; then the path has what it had, or what
    somebody else put there meanwhile.
    """
    bad = content_of(storage, artifact.path)
    if bad is not None and bad.digest == artifact.proven:
        return {**_told(artifact, good), "kept aside": "", "was right already": True}
    aside = ""
    if bad is not None:
        aside = f"{bucket}/{_FOLDER}/{bad.digest[:16]}/{artifact.path}"
        _copy(storage, artifact.path, aside)
        _demand(storage, aside, bad.digest)
        remove(storage, artifact.path)
    is_ours = False
    try:
        is_ours = _put(storage, artifact, good)
        _demand(storage, artifact.path, artifact.proven)
    except Exception:
        if is_ours:
            remove(storage, artifact.path)
        if aside:
            # What somebody else put there meanwhile stays: a copy overwrites nothing.
            _copy(storage, aside, artifact.path)
        raise
    return {**_told(artifact, good), "kept aside": aside, "was right already": False}


def restore(storage: Http, path: str, *, put: str, aside: str) -> bool:
    """Give a path what it had: take away what has the SHA-256 ``put``, and bring back ``aside``.

    Tells whether it was done; an object that somebody changed since is left.
    """
    now = content_of(storage, path)
    if now is not None and now.digest != put:
        return False
    if now is not None:
        remove(storage, path)
    if aside:
        if not _copy(storage, aside, path):
            return False
        remove(storage, aside)
    return True


def remove(storage: Http, path: str) -> None:
    """Delete an object; one that is not there is no error."""
    answer = storage.request("DELETE", address_of(path))
    if answer.is_error and str(answer.json().get("statusCode")) != _MISSING:
        message = f"{path} could not be taken away: {answer.json().get('message')}."
        raise ActionError(message)


def _told(artifact: Artifact, good: GoodCopy) -> dict[str, Any]:
    return {
        "artifact": artifact.artifact,
        "path": artifact.path,
        "from": good.source,
        "put": artifact.proven,
    }


def _put(storage: Http, artifact: Artifact, good: GoodCopy) -> bool:
    """Put the good copy at the path; tells whether what is there now was put by us."""
    if good.path:
        return _copy(storage, good.path, artifact.path)
    # The client writes JSON without spaces, and the keys are in order: the form that was hashed.
    answer = storage.request("POST", address_of(artifact.path), json=sorted_keys(artifact.content))
    if answer.is_error:
        message = f"Storage refused to take {artifact.path}: {answer.json().get('message')}."
        raise ActionError(message)
    return True


def _copy(storage: Http, source: str, target: str) -> bool:
    """Copy an object; tells whether it was: what is at the target already is not overwritten."""
    bucket, _, name = source.partition("/")
    there, _, place = target.partition("/")
    body = {
        "bucketId": bucket,
        "sourceKey": name,
        "destinationBucket": there,
        "destinationKey": place,
    }
    answer = storage.request("POST", COPY, json=body)
    if answer.is_error and str(answer.json().get("statusCode")) != _DUPLICATE:
        message = f"{source} could not be copied to {target}: {answer.json().get('message')}."
        raise ActionError(message)
    return not answer.is_error


def _demand(storage: Http, path: str, digest: str) -> None:
    """Raise ActionError unless the object that is there now has this SHA-256."""
    content = content_of(storage, path)
    if content is None or content.digest != digest:
        message = f"{path} was put and does not read back as it should. Look before you go on."
        raise ActionError(message)
