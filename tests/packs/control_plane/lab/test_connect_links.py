"""A Connect Link in the lab: auth configs, customers who follow, and the way back to us."""

from collections.abc import Iterator

import httpx
import pytest

from runbook_nb.packs.control_plane.lab.emulators.composio import PROVIDER
from runbook_nb.packs.control_plane.lab.ui_connect import PATH

pytestmark = pytest.mark.lab
API = "/api/v3.1"


@pytest.fixture
def composio(view) -> Iterator[httpx.Client]:
    """Open Composio's API; what a test did there is forgotten."""
    with httpx.Client(
        base_url=view.url("composio"),
        headers={"x-api-key": view.lab.secret("composio.token")},
        trust_env=False,
    ) as client:
        yield client
        client.delete(PROVIDER)


def link(composio, **more):
    body = {"auth_config_id": "ac_github", "user_id": "someone", **more}
    return composio.post(f"{API}/connected_accounts/link", json=body)


def account(composio, made):
    return composio.get(f"{API}/connected_accounts/{made.json()['connected_account_id']}").json()


def test_what_is_left_out_of_a_change_stays(composio):
    """Credentials are merged, and the time of the change is told."""
    before = composio.get(f"{API}/auth_configs/ac_github").json()
    change = {"type": "custom", "credentials": {"scopes": ["repo"]}}
    assert composio.patch(f"{API}/auth_configs/ac_github", json=change).json() == {"success": True}
    after = composio.get(f"{API}/auth_configs/ac_github").json()

    assert after["credentials"] == {**before["credentials"], "scopes": ["repo"]}
    assert after["last_updated_at"] > before["last_updated_at"]
    assert composio.patch(f"{API}/auth_configs/ac_github", json={}).status_code == 400


def test_a_disabled_config_makes_no_links(composio):
    """Until it is enabled again."""
    composio.patch(f"{API}/auth_configs/ac_github/DISABLED").raise_for_status()
    assert link(composio).status_code == 400
    composio.patch(f"{API}/auth_configs/ac_github/ENABLED").raise_for_status()
    assert link(composio).status_code == 201


def test_a_redirect_that_the_provider_does_not_know_sends_nobody_back(view, composio):
    """The account waits on, as after a customer who left."""
    change = {"type": "custom", "credentials": {"oauth_redirect_uri": "https://old.example/add"}}
    composio.patch(f"{API}/auth_configs/ac_github", json=change)
    composio.post(PROVIDER, json={"customers": {"slack": "refused"}})
    stays, refused = link(composio), link(composio, auth_config_id="ac_slack")

    assert view.eventually(lambda: account(composio, refused)["status"] == "FAILED")
    assert "access_denied" in account(composio, refused)["status_reason"]
    assert account(composio, stays)["status"] == "INITIATED"


def test_a_browser_without_an_account_is_refused(view):
    """The route is there: it says what is missing."""
    answer = httpx.get(view.url("edge") + PATH, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    answer = httpx.get(view.url("ui") + PATH, params={"connected_account_id": "ca_nobody"})
    assert answer.status_code == 404
