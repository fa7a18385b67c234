"""The objects that the Storage emulator keeps: buckets of named bytes, in memory."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg

from runbook_nb.packs.control_plane.lab.seed.rows import canonical

EVIDENCE = "evidence"
VERSIONS = "evidence-versions"

_ARTIFACTS = """
select storage_path, metadata -> 'content', created_at from public.mission_artifacts
where storage_path is not null and metadata ? 'content'
"""


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


class Buckets:
    """All buckets of the project by name, each with its objects by path."""

    def __init__(self) -> None:
        self.by_name: dict[str, dict[str, Kept]] = {EVIDENCE: {}, VERSIONS: {}}
        self.created_at = datetime.now(UTC)

    def fill(self, dsn: str) -> None:
        """Put the object of every artifact into its bucket, and its copy into the versions."""
        with psycopg.connect(dsn, autocommit=True) as connection:
            for path, content, created_at in connection.execute(_ARTIFACTS):
                bucket, _, name = path.partition("/")
                kept = Kept(
                    content=canonical(content).encode(),
                    mimetype="application/json",
                    created_at=created_at,
                )
                self.by_name.setdefault(bucket, {})[name] = kept
                self.by_name[VERSIONS][path] = kept

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
        return {
            "id": name,
            "name": name,
            "owner": "",
            "public": False,
            "file_size_limit": None,
            "allowed_mime_types": None,
            "created_at": at,
            "updated_at": at,
        }


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
