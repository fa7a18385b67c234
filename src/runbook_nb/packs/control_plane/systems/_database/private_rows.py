"""The rows of telemetry, evidence and feedback that hold secrets or personal data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.private_text import (
    PrivateSpan,
    leaves,
    private_spans,
)
from runbook_nb.probes.connections import Database

# What a row must hold to be looked at closely: PostgreSQL finds it a hundred times faster.
CLUES: Final = tuple(
    f"%{word}%"
    for word in (
        *("@", "bearer", "basic ", "oauth", "digest", "cookie", "eyj", "://", "-----begin"),
        *("passw", "passphrase", "pwd", "secret", "authoriz", "credential", "apikey", "api_key"),
        *("api-key", "access_key", "private_key", "service_key", "signing_key", "role_key"),
        *("encryption_key", 'token"', "token=", "token:", "token ", "sk-", "sk_", "pk_live"),
        *("pk_test", "xox", "ghp_", "gho_", "ghs_", "github_pat", "aiza", "akia", "asia", "ya29"),
        *("sb_secret", "sbp_", "ak_", "whsec", "fm1", "fm2", "u+", "hf_", "glpat", "npm_", "tel:"),
    )
)
NUMBERS: Final = r"[+][0-9]{1,3}[ .(-]?[0-9]|[0-9]{3}\)?[-. ][0-9]{3}[-.][0-9]{4}"
EVENTS: Final = """
select id::text, mission_id::text, tenant_id::text, created_at as at, 'context' as column,
       true as json, context as content
from telemetry_events
where created_at > now() - %(window)s
  and event_type <> 'session_heartbeat'
  and (lower(context::text) like any(%(clues)s) or context::text ~ %(numbers)s)
order by created_at
"""
EVIDENCE: Final = """
select e.id::text, e.mission_id::text, m.tenant_id::text, e.created_at as at, part.name as column,
       part.json, part.content
from mission_evidence e
join missions m on m.id = e.mission_id
cross join lateral (values ('display_message', false, to_jsonb(e.display_message)),
                           ('metadata', true, e.metadata)) as part (name, json, content)
where e.created_at > now() - %(window)s
  and (lower(part.content::text) like any(%(clues)s) or part.content::text ~ %(numbers)s)
order by e.created_at
"""
FEEDBACK: Final = """
select f.id::text, f.mission_id::text, m.tenant_id::text, f.submitted_at as at, part.name as column,
       part.json, part.content
from mission_feedback f
join missions m on m.id = f.mission_id
cross join lateral (values ('qualitative_notes', false, to_jsonb(f.qualitative_notes)),
                           ('blockers', false, to_jsonb(f.blockers)),
                           ('metadata', true, f.metadata)) as part (name, json, content)
where f.submitted_at > now() - %(window)s
  and (lower(part.content::text) like any(%(clues)s) or part.content::text ~ %(numbers)s)
order by f.submitted_at
"""
SOURCES: Final = {
    "telemetry_events": EVENTS,
    "mission_evidence": EVIDENCE,
    "mission_feedback": FEEDBACK,
}


@dataclass(frozen=True, kw_only=True)
class PrivatePlace:
    """One text of a row that holds something private; what it says is not kept."""

    table: str
    id: str
    mission: str | None
    tenant: str | None
    at: datetime
    column: str
    path: tuple[str, ...] | None
    spans: tuple[PrivateSpan, ...]

    @property
    def where(self) -> str:
        """The table, the column and the key, without the row."""
        return ".".join((self.table, self.column, *(self.path or ())))


def private_places(
    database: Database, tables: Sequence[str], *, window: timedelta
) -> list[PrivatePlace]:
    """Return what is private in these tables within the window, the oldest first."""
    return [
        place
        for table in tables
        for row in database.rows(SOURCES[table], window=window, clues=list(CLUES), numbers=NUMBERS)
        for place in _places(table, row)
    ]


def _places(table: str, row: dict[str, Any]) -> Iterator[PrivatePlace]:
    for path, text in leaves(row["content"]):
        if spans := private_spans(text, name=path[-1] if path else ""):
            yield PrivatePlace(
                table=table,
                id=row["id"],
                mission=row["mission_id"],
                tenant=row["tenant_id"],
                at=row["at"],
                column=row["column"],
                path=path if row["json"] else None,
                spans=tuple(spans),
            )
