"""The hands for evidence: objects changed through Storage or beneath it, and brought back."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import (
    EVIDENCE,
    VERSIONS,
    WITHHELD,
)
from runbook_nb.packs.control_plane.lab.emulators.supabase_storage import ROT
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import take_back
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret, write_whole

# Where the platform once put what was too large for a row.
OTHER: Final = "evidence-artifacts"
_KEPT: Final = "evidence-faults"
_API: Final = "/storage/v1"
_PICKED: Final = """
select a.storage_path, a.hash
from missions m
join tenants t on t.id = m.tenant_id
join mission_artifacts a on a.mission_id = m.id
where a.storage_path is not null and (%(tenant)s = '' or t.slug = %(tenant)s)
  and (%(kind)s = '' or a.artifact_type = %(kind)s)
  and a.created_at < now() - %(older_days)s * interval '1 day'
order by a.created_at desc, a.id
limit %(count)s
"""
_ASIDE: Final = (
    "select name from storage.objects where bucket_id = %s and name like 'kept-aside/%%'"
)
_NOT_SEEDED: Final = """
select o.bucket_id || '/' || o.name from storage.objects o where o.bucket_id = %s
"""


@dataclass(frozen=True, kw_only=True)
class Picked:
    """An artifact that a fault takes: where its object is, and the hash that its row names."""

    path: str
    hash: str


class Store:
    """The Storage API with the service key, and the lab's door beneath it."""

    def __init__(self, lab: LabState) -> None:
        key = read_secret(lab.folder, "supabase_storage.token")
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{lab.ports['supabase_storage']}",
            headers={"authorization": f"Bearer {key}", "apikey": key},
            trust_env=False,
            verify=NO_CERTIFICATES,
        )

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def read(self, path: str) -> bytes | None:
        """Return an object's bytes; None where there is none."""
        answer = self._client.get(f"{_API}/object/{path}")
        return None if answer.is_error else answer.content

    def put(self, path: str, content: bytes, *, kind: str = "application/json") -> httpx.Response:
        """Upload an object over what is there, and return what Storage says of it."""
        headers = {"x-upsert": "true", "content-type": kind}
        return self._client.post(f"{_API}/object/{path}", content=content, headers=headers)

    def delete(self, path: str) -> None:
        """Delete an object; one that is not there is no matter."""
        self._client.delete(f"{_API}/object/{path}")

    def rot(self, path: str, content: bytes | None) -> None:
        """Change or lose an object's bytes beneath the service."""
        bucket, _, name = path.partition("/")
        text = None if content is None else content.decode("latin-1")
        body = {"bucket": bucket, "name": name, "content": text}
        self._client.post(ROT, json=body).raise_for_status()

    def bucket(self, name: str, **rules: Any) -> None:
        """Make a bucket, or give it these rules where it is there."""
        if self._client.post(f"{_API}/bucket", json={"id": name, **rules}).is_error:
            self._client.put(f"{_API}/bucket/{name}", json=rules).raise_for_status()

    def drop_bucket(self, name: str) -> None:
        """Delete an empty bucket; one that is not there is no matter."""
        self._client.delete(f"{_API}/bucket/{name}")


def picked(
    lab: LabState, *, count: int, kind: str = "", tenant: str = "", older_days: int = 0
) -> list[Picked]:
    """Return the newest artifacts of a kind and a tenant that are older than so many days."""
    values = {"count": count, "kind": kind, "tenant": tenant, "older_days": older_days}
    with superuser(lab) as connection:
        rows = connection.execute(_PICKED, values).fetchall()
    if len(rows) < count:
        raise LabError(f"The lab has {len(rows)} such artifacts and not {count}.")
    return [Picked(path=path, hash=digest) for path, digest in rows]


def keep(lab: LabState, store: Store, fault: str, paths: Iterable[str]) -> None:
    """Keep what objects hold now, to heal with; None stands for one that is not there."""
    kept = {path: _text(store.read(path)) for path in paths}
    file = _file(lab, fault)
    file.parent.mkdir(exist_ok=True)
    write_whole(file, json.dumps(kept))


def bring_back(lab: LabState, *, fault: str) -> None:
    """Make rows, objects and buckets what they were; what was kept aside goes."""
    take_back(lab, fault=fault)
    with Store(lab) as store:
        store.bucket(EVIDENCE, public=False, file_size_limit=None, allowed_mime_types=None)
        with suppress(FileNotFoundError):
            for path, text in json.loads(_file(lab, fault).read_text(encoding="utf-8")).items():
                store.delete(path)
                if text is not None:
                    store.put(path, text.encode("latin-1")).raise_for_status()
            _file(lab, fault).unlink()
        with superuser(lab) as connection:
            aside = connection.execute(_ASIDE.encode(), [WITHHELD]).fetchall()
            strays = connection.execute(_NOT_SEEDED, [OTHER]).fetchall()
        for path in [*(f"{WITHHELD}/{name}" for (name,) in aside), *(each for (each,) in strays)]:
            store.delete(path)
        store.drop_bucket(OTHER)


def object_fault(
    name: str,
    title: str,
    harm: Callable[[Store, list[Picked]], None],
    *,
    versions: bool = False,
    also: Callable[[str], str] | None = None,
    **which: Any,
) -> Fault:
    """Return a fault that harms the objects of picked artifacts.

    With ``versions`` their versions are kept and healed too; ``also`` gives another path that a
    harm makes of one, such as the place to which it is moved.
    """

    def inject(lab: LabState) -> None:
        found = picked(lab, **which)
        paths = [each.path for each in found]
        more = [f"{VERSIONS}/{path}" for path in paths] if versions else []
        made = [also(path) for path in paths] if also else []
        with Store(lab) as store:
            keep(lab, store, name, [*paths, *more, *made])
            harm(store, found)

    return Fault(
        name=name, title=title, inject=inject, heal=lambda lab: bring_back(lab, fault=name)
    )


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("latin-1")


def _file(lab: LabState, fault: str) -> Path:
    return lab.folder / _KEPT / f"{fault}.json"
