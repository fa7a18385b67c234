"""What a drill of the general protocol told partners and wrote down, taken back from outside."""

from typing import Any

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.pagerduty import FROM
from runbook_nb.packs.control_plane.lab.emulators.slack import INCIDENTS
from runbook_nb.packs.control_plane.lab.emulators.statuspage import PAGE
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

# The incidents of the seed are issues of the platform's tracker: acp-101 and on.
_FORGET_INCIDENTS = """
DELETE FROM telemetry_events
 WHERE event_type IN ('incident_opened', 'incident_resolved')
   AND mission_id IS NULL
   AND context ->> 'bd_issue' NOT LIKE 'acp-%'
"""


def forget_what_was_told(lab: LabState) -> None:
    """Delete the rows of declared incidents and the posts, resolve the pages, clear the page."""
    with superuser(lab) as connection:
        connection.execute(_FORGET_INCIDENTS)
    _clear_slack(lab)
    _clear_pagerduty(lab)
    _clear_statuspage(lab)


def _clear_slack(lab: LabState) -> None:
    with _client(lab, "slack", "Bearer xoxb-{token}") as slack:
        query = {"channel": INCIDENTS, "limit": "1000"}
        found = _read(slack.get("/api/conversations.history", params=query))
        for post in found["messages"]:
            body = {"channel": INCIDENTS, "ts": post["ts"]}
            _read(slack.post("/api/chat.delete", json=body))


def _clear_pagerduty(lab: LabState) -> None:
    with _client(lab, "pagerduty", "Token token={token}") as pagerduty:
        query = {"statuses[]": ["triggered", "acknowledged"], "limit": "100"}
        for one in _read(pagerduty.get("/incidents", params=query))["incidents"]:
            body = {"incident": {"type": "incident_reference", "status": "resolved"}}
            _read(pagerduty.put(f"/incidents/{one['id']}", json=body, headers={"from": FROM}))


def _clear_statuspage(lab: LabState) -> None:
    with _client(lab, "statuspage", "OAuth {token}") as statuspage:
        path = f"/v1/pages/{PAGE}/incidents"
        for one in _read(statuspage.get(path)):
            _read(statuspage.delete(f"{path}/{one['id']}"))


def _client(lab: LabState, name: str, form: str) -> httpx.Client:
    token = read_secret(lab.folder, f"{name}.token")
    return httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports[name]}",
        headers={"authorization": form.format(token=token)},
        trust_env=False,
        verify=NO_CERTIFICATES,
    )


def _read(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise LabError(f"{answer.request.url.path} answered {answer.status_code}: {answer.text}")
    return answer.json()
