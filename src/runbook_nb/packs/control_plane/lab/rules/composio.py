"""Alert rules for Composio and the calls to it, with the thresholds of the platform."""

from typing import Any, Final

from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

PATIENCE_S: Final = 2.0
SERVER_ERROR: Final = 500
PARKED: Final = "select exists (select from mission_metadata where metadata_key = %s)"
KEY: Final = "composio_parking"

# Calls of missions that are parked, or failed before they went on again, are over.
FAILING: Final = """
select count(*) filter (where a.status = 'error') >= 3
   and count(*) filter (where a.status = 'error') > 0.1 * count(*)
from composio_audit_events a
where a.occurred_at > now() - interval '15 min'
  and not exists (
      select from mission_metadata m
      where m.mission_id = a.mission_id
        and m.metadata_key in ('composio_parking', 'composio_resumed'))
"""
TOOLKIT: Final = """
select exists (
    select from composio_audit_events a
    where a.occurred_at > now() - interval '15 min'
      and not exists (
          select from mission_metadata m
          where m.mission_id = a.mission_id
            and m.metadata_key in ('composio_parking', 'composio_resumed'))
    group by a.toolkit
    having count(*) filter (where a.status = 'error') >= 3
       and count(*) filter (where a.status = 'error') > 0.1 * count(*))
"""


def _listing(lab: LabState) -> list[Any] | None:
    """Return a page of toolkits; None where Composio does not answer as its API does.

    A refusal is an answer, of no toolkits that anybody could miss.
    """
    import httpx

    try:
        answer = httpx.get(
            f"http://127.0.0.1:{lab.ports['composio']}/api/v3.1/toolkits?limit=1",
            headers={"x-api-key": read_secret(lab.folder, "composio.token")},
            timeout=PATIENCE_S,
            trust_env=False,
            verify=NO_CERTIFICATES,
        )
        if answer.is_error:
            return None if answer.status_code >= SERVER_ERROR else [answer.status_code]
        found = answer.json()["items"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
    return list(found)


def _unavailable(lab: LabState, _connection: Any) -> bool:
    return _listing(lab) is None


def _empty(lab: LabState, _connection: Any) -> bool:
    return _listing(lab) == []


def _parked(lab: LabState, connection: Any) -> bool:
    """Tell whether missions are parked although Composio answers."""
    return bool(connection.execute(PARKED, (KEY,)).fetchone()[0]) and bool(_listing(lab))


RULES: Final = (
    AlertRule(
        name="ComposioUnavailable",
        severity="critical",
        summary="Composio's API does not answer as itself.",
        fires=_unavailable,
        service="composio",
    ),
    AlertRule(
        name="ComposioCatalogueEmpty",
        severity="warning",
        summary="Composio's catalogue shows no toolkit: discovery finds nothing.",
        fires=_empty,
        service="composio",
    ),
    AlertRule(
        name="IntegrationErrorsHigh",
        severity="critical",
        summary="More than 10 % of the tool calls of the last 15 minutes ended in an error.",
        fires=sql(FAILING),
        service="composio",
    ),
    AlertRule(
        name="ToolkitErrorsHigh",
        severity="warning",
        summary="More than 10 % of the calls of one toolkit within 15 minutes ended in an error.",
        fires=sql(TOOLKIT),
        service="composio",
    ),
    AlertRule(
        name="MissionsLeftParked",
        severity="warning",
        summary="Missions are parked although Composio answers again.",
        fires=_parked,
        service="composio",
    ),
)
