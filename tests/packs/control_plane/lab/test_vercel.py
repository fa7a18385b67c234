"""The emulator for Vercel lists deployments, rolls back and promotes as the REST reference says."""

import httpx
import pytest

pytestmark = pytest.mark.lab

PROJECT = "prj_aiEmployeeControlPlane"


@pytest.fixture
def vercel(view):
    """Open the API with the lab's token; what a test deployed is removed again."""
    with httpx.Client(
        base_url=view.url("vercel"),
        headers={"authorization": f"Bearer {view.lab.secret('vercel.token')}"},
        timeout=5,
        trust_env=False,
    ) as client:
        first = live(client)
        yield client
        client.post(f"/v10/projects/{PROJECT}/promote/{first['id']}")
        for one in listed(client):
            if one["meta"]["release"] == "v99":
                client.delete(f"/v13/deployments/{one['uid']}")
        assert live(client)["id"] == first["id"]


def live(client):
    return client.get(f"/v9/projects/{PROJECT}").json()["targets"]["production"]


def listed(client, **query):
    return client.get("/v6/deployments", params=query).json()["deployments"]


def deploy(client):
    body = {"name": "ai-employee-control-plane", "target": "production"}
    return client.post("/v13/deployments", json={**body, "meta": {"release": "v99"}}).json()


@pytest.mark.parametrize("token", [{}, {"authorization": "Bearer another"}])
def test_a_request_without_the_token_is_forbidden(view, token):
    """The error object has Vercel's code."""
    refused = httpx.get(f"{view.url('vercel')}/v6/deployments", headers=token, trust_env=False)

    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "forbidden"


def test_deployments_come_newest_first_and_by_page(vercel):
    """The page says where the next one begins."""
    page = vercel.get("/v6/deployments", params={"limit": "2", "target": "production"}).json()

    assert [one["meta"]["release"] for one in page["deployments"]] == ["v50", "v49"]
    assert page["pagination"]["count"] == 2
    assert page["pagination"]["next"] == page["deployments"][-1]["created"]


def test_only_a_ready_deployment_that_is_not_live_can_be_rolled_back_to(vercel):
    """The live one is refused."""
    candidates = listed(vercel, rollbackCandidate="true")

    assert [one["meta"]["release"] for one in candidates] == ["v49", "v48"]
    refused = vercel.post(f"/v1/projects/{PROJECT}/rollback/{live(vercel)['id']}")
    assert refused.status_code == 422


def test_a_rollback_moves_the_domains_and_stops_new_ones_from_taking_them(vercel):
    """A promotion lets them again."""
    before, older = live(vercel), listed(vercel, rollbackCandidate="true")[0]

    assert vercel.post(f"/v1/projects/{PROJECT}/rollback/{older['uid']}").status_code == 201
    project = vercel.get(f"/v9/projects/{PROJECT}").json()
    assert project["targets"]["production"]["id"] == older["uid"]
    assert project["lastAliasRequest"]["type"] == "rollback"
    deploy(vercel)
    assert live(vercel)["id"] == older["uid"]

    assert vercel.post(f"/v10/projects/{PROJECT}/promote/{before['id']}").status_code == 201
    newest = deploy(vercel)
    assert live(vercel)["id"] == newest["id"]


def test_the_live_deployment_cannot_be_promoted_again(vercel):
    """Nor deleted: it has the domains."""
    current = live(vercel)["id"]

    assert vercel.post(f"/v10/projects/{PROJECT}/promote/{current}").status_code == 409
    assert vercel.delete(f"/v13/deployments/{current}").status_code == 409


def test_what_is_unknown_is_not_found(vercel):
    """Deployment and project alike."""
    for path in ("/v13/deployments/dpl_none", "/v9/projects/prj_none"):
        missing = vercel.get(path)
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


def test_a_machine_lists_its_versions_newest_first(view):
    """With the configuration of each, so that an earlier image can be put back."""
    machine = view.machines()[0]
    versions = view.fly.get(f"/machines/{machine['id']}/versions").json()

    assert versions[0] == {"version": machine["instance_id"], "user_config": machine["config"]}
    releases = [version["user_config"]["metadata"]["release"] for version in versions]
    assert releases[:1] + releases[-2:] == ["v50", "v49", "v48"]
