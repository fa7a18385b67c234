"""The records behind Composio's tools in the lab: contacts, tickets, drafts of each customer.

They are made of the steps of the platform's undo plans when first asked: what a run changed, or
what an undo took back. From then on they hold what the tools and the customers make of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

from runbook_nb.packs.control_plane.lab.emulators.composio_errors import successful, unsuccessful
from runbook_nb.packs.control_plane.lab.seed.records import RECORDS

READS: Final = frozenset(tools.read for tools in RECORDS.values())
_DELETES: Final = frozenset(tools.reverse for tools in RECORDS.values() if tools.before is None)
CHANGES: Final = _DELETES | {tools.change for tools in RECORDS.values()}

# A run changes records while it executes; an undo that was done changed them back at its end.
PLANS: Final = """
select m.tenant_id::text as user_id, p.steps, p.status = 'executed' as undone,
       s.started_at is not null as changed,
       coalesce(
           (select max(e.occurred_at) from undo_events e
            where e.undo_plan_id = p.id and e.event_type = 'executed'),
           s.completed_at, s.started_at, p.created_at) as at
from mission_undo_plans p
join missions m on m.id = p.mission_id
left join mission_stage_status s on s.mission_id = m.id and s.stage = 'Execute'
"""


@dataclass(kw_only=True)
class Record:
    """One record at a customer's tool, and when it was last changed."""

    properties: dict[str, Any]
    updated_at: datetime


class Records:
    """All records, by customer, toolkit and id."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str, str], Record] = {}

    def fill(self, plans: Iterable[Mapping[str, Any]]) -> None:
        """Make the records that the platform's undo plans speak of."""
        for plan in plans:
            after = plan["changed"] and not plan["undone"]
            for step in plan["steps"]:
                held = step["arguments" if after else "reverse_arguments"].get("properties")
                if held is not None:
                    key = plan["user_id"], step["toolkit"], step["arguments"]["id"]
                    self._records[key] = Record(properties=dict(held), updated_at=plan["at"])

    def put(self, user_id: str, toolkit: str, record_id: str, **given: Any) -> None:
        """Let the customer or time change a record: its properties, its age, or its existence."""
        key = user_id, toolkit, record_id
        if given.get("gone"):
            self._records.pop(key, None)
            return
        now = datetime.now(UTC)
        record = self._records.setdefault(key, Record(properties={}, updated_at=now))
        record.properties |= given.get("properties", {})
        at = given.get("updated_at")
        record.updated_at = datetime.fromisoformat(at) if at else now

    def run(self, slug: str, arguments: Mapping[str, Any], *, user_id: str) -> Response:
        """Run a tool that reads, changes or deletes one record."""
        toolkit, record_id = slug.partition("_")[0].lower(), str(arguments.get("id", ""))
        key = user_id, toolkit, record_id
        found = self._records.get(key)
        if slug in READS:
            return successful({"results": [_shown(record_id, found)] if found else []})
        if slug in _DELETES:
            if found is None:
                return _missing(toolkit, record_id)
            del self._records[key]
            return successful(_shown(record_id, found))
        record = found or Record(properties={}, updated_at=datetime.now(UTC))
        record.properties |= dict(arguments.get("properties") or {})
        record.updated_at = datetime.now(UTC)
        if record_id:
            self._records[key] = record
        return successful(_shown(record_id, record))


def _missing(toolkit: str, record_id: str) -> Response:
    message = f"{toolkit} has no record {record_id!r}."
    code = HTTPStatus.NOT_FOUND
    return unsuccessful(
        f"{int(code)} {code.phrase}: {message}", {"status_code": int(code), "message": message}
    )


def _shown(record_id: str, record: Record) -> dict[str, Any]:
    at = record.updated_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {
        "id": record_id,
        "properties": record.properties,
        "updated_at": at.replace("+00:00", "Z"),
    }
