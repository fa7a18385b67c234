"""The objects that the Storage emulator keeps: buckets of named bytes in memory.

What the service knows of them stands in the tables of the schema ``storage``, as at the vendor.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import psycopg

from runbook_nb.packs.control_plane.lab.seed.rows import canonical

EVIDENCE = "evidence"
VERSIONS = "evidence-versions"
WITHHELD = "evidence-withheld"

_ARTIFACTS = """
select storage_path, metadata -> 'content', created_at from public.mission_artifacts
where storage_path is not null and metadata ? 'content'
"""
_BUCKET = """
insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values (%(id)s, %(id)s, %(public)s, %(file_size_limit)s, %(allowed_mime_types)s)
on conflict (id) do update
set public = excluded.public, file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types, updated_at = now()
"""
_NO_BUCKET = "delete from storage.buckets where id = %s"
_OBJECT = """
insert into storage.objects (id, bucket_id, name, metadata, created_at, updated_at)
values (%s, %s, %s, %s, %s, %s)
on conflict (bucket_id, name) do update
set id = excluded.id, metadata = excluded.metadata, updated_at = excluded.updated_at
"""
_GONE = "delete from storage.objects where bucket_id = %s and name = %s"
_COPY = "copy storage.objects (id, bucket_id, name, metadata, created_at, updated_at) from stdin"
# A database that hangs must not hold the emulator up for longer.
_WITHIN: Final = "-c statement_timeout=2000 -c lock_timeout=2000"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One object: its bytes, its media type and when it came."""

    content: bytes
    mimetype: str
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = field(default_factory=lambda: str(uuid4()))

    def metadata(self) -> dict[str, Any]:
        """Return the metadata in the API's form."""
        return {
            "eTag": f'"{hashlib.md5(self.content, usedforsecurity=False).hexdigest()}"',
            "size": len(self.content),
            "mimetype": self.mimetype,
            "cacheControl": "max-age=3600",
            "lastModified": self.created_at.isoformat(),
            "contentLength": len(self.content),
            "httpStatusCode": 200,
        }


@dataclass(kw_only=True)
class BucketRules:
    """Who may read a bucket without a key, and what it takes."""

    public: bool = False
    file_size_limit: int | None = None
    allowed_mime_types: list[str] | None = None


class Buckets:
    """All buckets of the project by name, each with its objects by path."""

    def __init__(self, dsn: str) -> None:
        self.by_name: dict[str, dict[str, Kept]] = {}
        self.rules: dict[str, BucketRules] = {}
        self.created_at = datetime.now(UTC)
        self._dsn = dsn
        self._connection: psycopg.Connection | None = None

    def fill(self) -> None:
        """Put the object of every artifact into its bucket, and its copy into the versions."""
        for name in (EVIDENCE, VERSIONS, WITHHELD):
            self.make(name, BucketRules())
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            for path, content, created_at in connection.execute(_ARTIFACTS):
                bucket, _, name = path.partition("/")
                for where, named in ((bucket, name), (VERSIONS, path)):
                    self.by_name[where][named] = Kept(
                        content=canonical(content).encode(),
                        mimetype="application/json",
                        created_at=created_at,
                    )
            with connection.cursor().copy(_COPY) as copy:
                for row in self._rows():
                    copy.write_row(row)

    def make(self, name: str, rules: BucketRules) -> None:
        """Make a bucket, or give one other rules."""
        self._tell(_BUCKET, {"id": name, **vars(rules)})
        self.by_name.setdefault(name, {})
        self.rules[name] = rules

    def unmake(self, name: str) -> None:
        """Delete a bucket."""
        self._tell(_NO_BUCKET, (name,))
        del self.by_name[name], self.rules[name]

    def put(self, bucket: str, name: str, kept: Kept) -> None:
        """Keep an object, instead of one that has its name."""
        self._tell(_OBJECT, _row(bucket, name, kept))
        self.by_name[bucket][name] = kept

    def remove(self, bucket: str, name: str) -> Kept:
        """Delete an object that is there and return it."""
        self._tell(_GONE, (bucket, name))
        return self.by_name[bucket].pop(name)

    def rot(self, bucket: str, name: str, content: bytes | None) -> None:
        """Change the bytes beneath the service, which knows nothing of it; None loses them."""
        if content is None:
            del self.by_name[bucket][name]
            return
        was = self.by_name[bucket][name]
        self.by_name[bucket][name] = Kept(
            content=content, mimetype=was.mimetype, created_at=was.created_at, id=was.id
        )

    def listed(self, bucket: str, *, prefix: str) -> Iterator[dict[str, Any]]:
        """List one folder of a bucket in the order of names; a folder in it has no id."""
        inside = prefix.strip("/") + "/" if prefix.strip("/") else ""
        folders = set()
        for name, kept in sorted(self.by_name[bucket].items()):
            rest = name.removeprefix(inside)
            if not name.startswith(inside):
                continue
            folder, slash, _ = rest.partition("/")
            if slash and folder in folders:
                continue
            folders.add(folder)
            yield _entry(folder, None if slash else kept)

    def bucket(self, name: str) -> dict[str, Any]:
        """Return a bucket in the API's form."""
        at = self.created_at.isoformat()
        shown = {"id": name, "name": name, "owner": "", **vars(self.rules[name])}
        return {**shown, "created_at": at, "updated_at": at}

    def _tell(self, statement: str, values: Iterable[Any] | Mapping[str, Any]) -> None:
        """Write what the service knows; raises psycopg.Error where the database does not answer."""
        known, connection = self._connection, self._connected()
        try:
            connection.execute(statement.encode(), values)  # type: ignore[arg-type]
        except psycopg.OperationalError:
            # The server may have ended it while nobody wrote, which only a use of it shows.
            if connection is not known or not connection.closed:
                raise
            self._connected().execute(statement.encode(), values)  # type: ignore[arg-type]

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=2,
                options=_WITHIN,
                application_name="storage",
            )
        return self._connection

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for bucket, objects in self.by_name.items():
            for name, kept in objects.items():
                yield _row(bucket, name, kept)


def _row(bucket: str, name: str, kept: Kept) -> tuple[object, ...]:
    metadata = json.dumps(kept.metadata())
    return kept.id, bucket, name, metadata, kept.created_at, kept.created_at


def _entry(name: str, kept: Kept | None) -> dict[str, Any]:
    at = kept.created_at.isoformat() if kept else None
    return {
        "name": name,
        "id": kept.id if kept else None,
        "updated_at": at,
        "created_at": at,
        "last_accessed_at": at,
        "metadata": kept.metadata() if kept else None,
    }
