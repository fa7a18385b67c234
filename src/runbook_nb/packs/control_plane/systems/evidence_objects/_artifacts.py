"""Artifacts with a path, what else names their hash, and what Storage's catalogue has of them."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

# A path is written with its row and the object follows; a 15 s limit and retries fit in this.
ARRIVAL: Final = timedelta(minutes=5)
# Retention of evidence bundles: 365 days.
RETENTION: Final = timedelta(days=365)
# Uploads of this long are a rate; what is missing from before was there once.
UPLOADS: Final = timedelta(days=1)
# After a quiet day older uploads make up the number, else one of one would be all.
FEWEST: Final = 10
SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PREFIX: Final = "sha256:"

# The bundle of a mission names the hashes of the outputs before it; the audit that of the bundle.
_ARTIFACTS: Final = """
with manifests as (
    select b.mission_id, b.created_at, array_agg(h) as hashes
    from mission_artifacts b
    cross join jsonb_array_elements_text(b.metadata -> 'content' -> 'artifact_hashes') as h
    where b.artifact_type = 'evidence_bundle'
      and jsonb_typeof(b.metadata -> 'content' -> 'artifact_hashes') = 'array'
    group by b.id
), audits as (
    select mission_id, array_agg(distinct context ->> 'artifact_hash') as hashes
    from telemetry_events
    where event_type = 'audit_event_recorded' and context ? 'artifact_hash'
    group by mission_id
), purges as (
    select distinct gone.id
    from telemetry_events e
    cross join jsonb_array_elements_text(e.context -> 'artifact_ids') as gone (id)
    where e.event_type = 'audit_event_recorded' and e.context ->> 'action' = 'evidence_purged'
)
select a.id::text as artifact, a.mission_id::text as mission, a.artifact_type as kind,
       a.storage_path as path, a.hash, a.metadata -> 'content' as content,
       (a.metadata ->> 'size_bytes')::bigint as size, a.created_at,
       clock_timestamp() - a.created_at as age,
       coalesce(case when a.artifact_type = 'evidence_bundle' then u.hashes else m.hashes end,
                '{}') as witnesses,
       p.id is not null as purged, o.id is not null as catalogued, v.id is not null as versioned
from mission_artifacts a
left join lateral (
    select hashes from manifests m
    where m.mission_id = a.mission_id and m.created_at >= a.created_at
    order by m.created_at limit 1
) as m on true
left join audits u on u.mission_id = a.mission_id
left join purges p on p.id = a.id::text
left join storage.objects o on o.bucket_id || '/' || o.name = a.storage_path
left join storage.objects v on v.bucket_id = %(versions)s and v.name = a.storage_path
where a.storage_path is not null
order by a.created_at desc, a.id
"""
_CATALOGUED: Final = "select exists (select from storage.objects)"
_ELSEWHERE: Final = """
select o.bucket_id || '/' || o.name as place, lower(substring(o.name from '[^/]+$')) as leaf
from storage.objects o
where lower(substring(o.name from '[^/]+$')) = any(%(leaves)s::text[])
  and o.bucket_id <> all(%(aside)s::text[])
order by o.created_at desc
"""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """An artifact's row, what else names its hash, and what Storage's catalogue has of it."""

    artifact: str
    mission: str
    kind: str
    path: str
    hash: str | None
    content: Any
    size: int | None
    age: timedelta
    witnesses: frozenset[str]
    siblings: frozenset[str]
    purged: bool
    catalogued: bool
    versioned: bool

    @property
    def digest(self) -> str:
        """The recorded SHA-256 in lower case, without a prefix; empty where it is none."""
        plain = (self.hash or "").strip().lower().removeprefix(_PREFIX)
        return plain if SHA256.fullmatch(plain) else ""

    @property
    def proven(self) -> str:
        """The SHA-256 that a good copy must have; empty where row and witness do not agree."""
        return self.digest if not self.witnesses or self.digest in self.witnesses else ""

    @property
    def malformed(self) -> bool:
        """Whether the row's hash is not 64 lower-case hexadecimal digits."""
        return not SHA256.fullmatch(self.hash or "")

    @property
    def due(self) -> bool:
        """Whether its object must be there by now, and was not purged when its time was over."""
        return self.age > ARRIVAL and not (self.purged and self.age > RETENTION)

    def accused(self, found: str) -> bool:
        """Tell whether an object with this SHA-256 shows the row wrong: a witness names it."""
        return (
            found != self.digest
            and found in self.witnesses
            and found not in self.siblings - {self.digest}
        )

    def shown(self, **more: object) -> dict[str, object]:
        """Return it as evidence shows it."""
        return {"artifact": self.artifact, "kind": self.kind, "path": self.path, **more}


def every_artifact(systems: Systems) -> list[Artifact]:
    """Return all artifacts with a path, the newest first.

    Raises NoAnswerError without any, and where the catalogue of Storage shows no object at all.
    """
    database = systems.database()
    versions = systems.setting("supabase_storage", "versions_bucket")
    rows = database.rows(_ARTIFACTS, versions=versions)
    if not rows:
        message = "No artifact says where its object is."
        raise NoAnswerError(message)
    if not database.value(_CATALOGUED):
        message = "The catalogue of Storage shows no object at all, so none can be told missing."
        raise NoAnswerError(message)
    of_mission: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        of_mission[row["mission"]].append(row)
    return [_artifact(row, of_mission[row["mission"]]) for row in rows]


def lost(artifacts: list[Artifact]) -> list[Artifact]:
    """Return those whose object was there once and is not in the catalogue any more."""
    gone = [each for each in artifacts if each.due and not each.catalogued]
    return [each for each in gone if each.versioned or each.age > UPLOADS]


def uploads(artifacts: list[Artifact]) -> tuple[list[Artifact], list[Artifact]]:
    """Return the uploads that were due within a day, and those of them that never arrived.

    What arrived has an entry in the catalogue, or a version where its object went again. The newest
    ten count also where they are older; what is missing of those is no failed upload.
    """
    due = [each for each in artifacts if each.due]
    recent = [each for each in due if each.age <= UPLOADS]
    never = [each for each in recent if not (each.catalogued or each.versioned)]
    return due[: max(len(recent), FEWEST)], never


def places(systems: Systems, artifacts: list[Artifact]) -> dict[str, list[str]]:
    """Return where else the catalogue has an object of an artifact's name, by artifact.

    Versions, and what is withheld or kept aside, are no such place.
    """
    setting = systems.setting
    aside = [setting("supabase_storage", f"{name}_bucket") for name in ("versions", "withheld")]
    leaves = {each.artifact: each.path.rpartition("/")[2].lower() for each in artifacts}
    found = systems.database().rows(_ELSEWHERE, leaves=list(leaves.values()), aside=aside)
    by_artifact = {
        each.artifact: [
            row["place"]
            for row in found
            if row["leaf"] == leaves[each.artifact] and row["place"] != each.path
        ]
        for each in artifacts
    }
    return {artifact: there for artifact, there in by_artifact.items() if there}


def _artifact(row: Mapping[str, Any], of_mission: list[Mapping[str, Any]]) -> Artifact:
    kept = {name: row[name] for name in row if name not in {"witnesses", "created_at"}}
    siblings = {each["hash"] for each in of_mission if each["artifact"] != row["artifact"]}
    return Artifact(
        **kept,
        witnesses=frozenset(row["witnesses"]),
        siblings=frozenset(each for each in siblings if each),
    )
