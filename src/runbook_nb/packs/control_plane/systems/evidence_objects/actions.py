"""How evidence is made whole: by copies that are proven, and by rows that a witness corrects."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems.evidence_objects._artifacts import (
    Artifact,
    every_artifact,
    lost,
    places,
    uploads,
)
from runbook_nb.packs.control_plane.systems.evidence_objects._content import Pace
from runbook_nb.packs.control_plane.systems.evidence_objects._copies import GoodCopy, Sources
from runbook_nb.packs.control_plane.systems.evidence_objects._damage import sweep
from runbook_nb.packs.control_plane.systems.evidence_objects._hashes import (
    Misrecorded,
    misrecorded_rows,
)
from runbook_nb.packs.control_plane.systems.evidence_objects._placement import replace, restore
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# More than a quarter at once is no matter of single objects: a store, a key or a release is.
_FEW: Final = 20
_PART: Final = 4
_BYTES_PER_S: Final = 5_000_000
_READING_S: Final = 300
_SERVICE: Final = "supabase_storage"
_CORRECT: Final = """
update mission_artifacts
set hash = %(right)s,
    metadata = metadata || jsonb_build_object('hash_before', coalesce(hash, ''))
where id = %(artifact)s::uuid and hash is not distinct from %(recorded)s
returning id
"""
_AS_BEFORE: Final = """
update mission_artifacts
set hash = %(recorded)s, metadata = metadata - 'hash_before'
where id = %(artifact)s::uuid and hash = %(right)s
returning id
"""


def _lost(systems: Systems, artifacts: list[Artifact]) -> list[Artifact]:
    gone = lost(artifacts)
    there = places(systems, gone)
    return [each for each in gone if each.artifact not in there]


def _astray(systems: Systems, artifacts: list[Artifact]) -> list[Artifact]:
    gone = lost(artifacts)
    there = places(systems, gone)
    return [each for each in gone if each.artifact in there]


def _never(_systems: Systems, artifacts: list[Artifact]) -> list[Artifact]:
    return uploads(artifacts)[1]


def _broken(systems: Systems, artifacts: list[Artifact]) -> list[Artifact]:
    pace = Pace(bytes_per_s=_BYTES_PER_S, within_s=_READING_S)
    return [each.artifact for each in sweep(systems.http(_SERVICE), artifacts, pace=pace).damages]


_KINDS: Final[Mapping[str, Callable[[Systems, list[Artifact]], list[Artifact]]]] = {
    "damaged": _broken,
    "missing": _lost,
    "elsewhere": _astray,
    "not uploaded": _never,
}


@action(timeout_s=600, repeatable=True, contained=True)
def mend(systems: Systems, *, which: str) -> Json:
    """Put a proven copy in the place of each object that is wrong; the wrong one is kept aside.

    ``which`` is ``damaged``, ``missing``, ``elsewhere`` or ``not uploaded``. A copy counts only if
    its own bytes have the SHA-256 that the row names and no witness denies. A path that another
    row with another hash names as well is left. Raises NothingDoneError where more than a quarter
    of all objects are wrong, and ActionError where none has a good copy.
    """
    pairs, hopeless = _plan(systems, which)
    if hopeless and not pairs:
        message = f"No good copy of any of the {len(hopeless)} objects is known: {hopeless[0]}."
        raise ActionError(message)
    storage, bucket = systems.http(_SERVICE), systems.setting(_SERVICE, "withheld_bucket")
    done = [replace(storage, artifact, good, bucket=bucket) for artifact, good in pairs]
    return {"mended": done, "without a good copy": hopeless}


@mend.rehearsal
def _(systems: Systems, *, which: str) -> Json:
    pairs, hopeless = _plan(systems, which)
    put = [{"path": artifact.path, "from": good.source} for artifact, good in pairs]
    return {"would put": put, "without a good copy": hopeless}


@mend.undo
def _(systems: Systems, result: Json, *, which: str) -> Json:  # noqa: ARG001
    storage = systems.http(_SERVICE)
    back: list[str] = []
    left: list[str] = []
    for each in reversed(result["mended"]):
        if each["was right already"]:
            continue
        undone = restore(storage, each["path"], put=each["put"], aside=each["kept aside"])
        (back if undone else left).append(each["path"])
    return {"as before": back, "changed since, and left": left}


@action(timeout_s=120, repeatable=True, contained=True)
def correct_hashes(systems: Systems) -> Json:
    """Give a row the hash that its object has and a witness names; the old one stays beside it.

    A row whose object and witness do not agree is left: then a hash made anew would hide a change.
    """
    return _corrected(systems, rollback=False)


@correct_hashes.rehearsal
def _(systems: Systems) -> Json:
    return _corrected(systems, rollback=True)


@correct_hashes.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        back = [each for each in result["corrected"] if database.rows(_AS_BEFORE, **each)]
    return {"as before": [each["artifact"] for each in back]}


def _plan(
    systems: Systems, which: str
) -> tuple[list[tuple[Artifact, GoodCopy]], list[dict[str, object]]]:
    """Return what can be mended with which copy, and what has none; raises NothingDoneError."""
    if which not in _KINDS:
        message = f"No kind {which!r}. Known: {', '.join(_KINDS)}."
        raise NothingDoneError(message)
    artifacts = every_artifact(systems)
    wrong = _KINDS[which](systems, artifacts)
    _demand_few(len(wrong), of=len(artifacts))
    sources = Sources(
        storage=systems.http(_SERVICE),
        versions=systems.setting(_SERVICE, "versions_bucket"),
        places=places(systems, wrong) if which == "elsewhere" else {},
        artifacts=artifacts,
    )
    pairs, hopeless = [], []
    for each in wrong:
        good = None if _shared(each, artifacts) else sources.good_copy(each)
        if good is None:
            hopeless.append(each.shown())
        else:
            pairs.append((each, good))
    return pairs, hopeless


def _shared(artifact: Artifact, artifacts: list[Artifact]) -> bool:
    """Tell whether another row with another hash names the same path."""
    return any(each.path == artifact.path and each.digest != artifact.digest for each in artifacts)


def _demand_few(count: int, *, of: int) -> None:
    if count > max(_FEW, of // _PART):
        message = (
            f"{count} of {of} objects are wrong. That is no matter of single objects: look at the "
            "store, its key and the last release first. Nothing is changed."
        )
        raise NothingDoneError(message)


def _corrected(systems: Systems, *, rollback: bool) -> dict[str, Any]:
    rows = misrecorded_rows(systems)
    _demand_few(len(rows), of=len(every_artifact(systems)))
    sure = [each for each in rows if each.right]
    if rows and not sure:
        message = f"Of none of the {len(rows)} rows do object and witness agree."
        raise NothingDoneError(message)
    database = systems.database()
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        corrected = [_change(each) for each in sure if database.rows(_CORRECT, **_change(each))]
    return {
        "corrected": corrected,
        "left, for they do not agree": [each.shown() for each in rows if not each.right],
    }


def _change(row: Misrecorded) -> dict[str, Any]:
    return {
        "artifact": row.artifact.artifact,
        "recorded": row.artifact.hash,
        "right": row.right,
    }
