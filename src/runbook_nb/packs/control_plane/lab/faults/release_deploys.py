"""The user interface's deployments at Vercel, as the pipeline and a hasty colleague make them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.vercel import PASSING, PROJECT
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.release import COMMIT, LIVE, RELEASES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

_KNOWN = {release for release, _hours_ago in RELEASES}


def deploy_interface(lab: LabState, release: str, commit: str, *, minutes_ago: int = 0) -> None:
    """Deploy a release of the UI to production, so many minutes ago."""
    meta = {"release": release, "githubCommitSha": commit, "githubCommitRef": "main"}
    body = {"name": "ai-employee-control-plane", "project": PROJECT, "target": "production"}
    with vercel(lab) as api:
        api.post("/v13/deployments", json={**body, "meta": meta})
        if _live(api)["meta"]["release"] != release:
            raise LabError(f"{release} did not go live; heal the lab first.")
        if minutes_ago:
            api.post(f"{PASSING}/{_live(api)['id']}", json={"minutes": minutes_ago})


def roll_ui_back(lab: LabState) -> None:
    """Roll the UI, and nothing else, back to the release that the lab starts with."""
    with vercel(lab) as api:
        good = next(one for one in _deployments(api) if one["meta"]["release"] == LIVE)
        api.post(f"/v1/projects/{PROJECT}/rollback/{good['uid']}")


def prune_interface(lab: LabState) -> None:
    """Delete every deployment of the UI but the live one, as a retention that is too short does."""
    with vercel(lab) as api:
        live = _live(api)["id"]
        for one in _deployments(api):
            if one["uid"] != live:
                api.delete(f"/v13/deployments/{one['uid']}")


def restore_interface(lab: LabState) -> None:
    """Have the release live that the lab starts with, and remove those that faults deployed."""
    _build_missing(lab)
    with vercel(lab) as api:
        good = next(one for one in _deployments(api) if one["meta"]["release"] == LIVE)
        project = api.get(f"/v9/projects/{PROJECT}").json()
        if _live(api)["id"] != good["uid"] or not project["autoAssignCustomDomains"]:
            api.post(f"/v10/projects/{PROJECT}/promote/{good['uid']}")
        for one in _deployments(api):
            if one["meta"]["release"] not in _KNOWN:
                api.delete(f"/v13/deployments/{one['uid']}")


def _build_missing(lab: LabState) -> None:
    """Build again what was deleted of the deployments that the lab starts with, as old as then."""
    with vercel(lab) as api:
        there = {one["meta"]["release"] for one in _deployments(api)}
    for release, hours_ago in RELEASES:
        if release not in there:
            deploy_interface(lab, release, COMMIT, minutes_ago=60 * hours_ago)


@contextmanager
def vercel(lab: LabState) -> Iterator[httpx.Client]:
    """Open Vercel's API."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['vercel']}",
        headers={"authorization": f"Bearer {read_secret(lab.folder, 'vercel.token')}"},
        timeout=10,
        trust_env=False,
        verify=NO_CERTIFICATES,
        event_hooks={"response": [_refuse_failure]},
    ) as client:
        yield client


def _live(api: httpx.Client) -> dict[str, Any]:
    live: dict[str, Any] = api.get(f"/v9/projects/{PROJECT}").json()["targets"]["production"]
    return live


def _deployments(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/v6/deployments", params={"limit": "100"}).json()[
        "deployments"
    ]
    return found


def _refuse_failure(answer: httpx.Response) -> None:
    if answer.is_error:
        answer.read()
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise LabError(f"Vercel: {asked} answered {answer.status_code}: {answer.text[:200]}")
