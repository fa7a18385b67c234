"""Composio's own Python client works against the lab's emulator, errors and limits included."""

import time
from collections.abc import Iterator
from contextlib import suppress

import composio_client
import httpx
import pytest

from runbook_nb.packs.control_plane.lab.emulators.composio import PROJECT, PROVIDER
from runbook_nb.packs.control_plane.lab.outage import PATH as OUTAGE
from runbook_nb.timeline.store.embedded.files import read_secret
from runbook_nb.timeline.store.embedded.processes import wait_until

pytestmark = pytest.mark.lab


@pytest.fixture
def key(lab) -> str:
    return read_secret(lab.folder, "composio.token")


@pytest.fixture
def raw(lab, key) -> Iterator[httpx.Client]:
    """Speak to Composio without the client; afterwards Composio is as it was."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['composio']}",
        headers={"x-api-key": key},
        trust_env=False,
    ) as client:
        client.delete(PROVIDER)
        yield client
        client.delete(PROVIDER)


@pytest.fixture
def composio(lab, key, raw) -> composio_client.Composio:
    """Make the vendor's client; it must not retry, as a retry hides what is tested."""
    return composio_client.Composio(
        api_key=key,
        base_url=f"http://127.0.0.1:{lab.ports['composio']}",
        max_retries=0,
        http_client=httpx.Client(trust_env=False),
    )


@pytest.fixture
def account(composio):
    """Give the newest active account of GitHub."""
    return composio.connected_accounts.list(toolkit_slugs=["github"]).items[0]


def expire(raw, account) -> None:
    about = {"user_id": account.user_id, "toolkit": account.toolkit.slug, "expire": True}
    raw.post(PROVIDER, json=about)


def test_accounts_come_in_pages(composio):
    """The cursor of a page leads to the next one, until there is none."""
    first = composio.connected_accounts.list(limit=5)
    seen = [one.id for one in first.items]
    cursor = first.next_cursor
    while cursor:
        page = composio.connected_accounts.list(limit=5, cursor=cursor)
        seen += [one.id for one in page.items]
        cursor = page.next_cursor

    assert len(first.items) == 5
    assert len(set(seen)) == len(seen) == first.total_items


def test_filters_hold_any_of_their_values(composio, raw, account):
    """Whether a filter is repeated or holds commas."""
    expire(raw, account)
    found = composio.connected_accounts.list(statuses=["EXPIRED", "FAILED"]).items
    repeated = raw.get(
        "/api/v3/connected_accounts", params={"statuses": ["EXPIRED", "FAILED"]}
    ).json()["items"]

    assert [one.id for one in found] == [one["id"] for one in repeated] == [account.id]
    assert found[0].status_reason == "Permanent auth error during token refresh"
    assert composio.connected_accounts.list(user_ids=["nobody"]).items == []


def test_an_account_shows_its_state_and_no_token(composio, account):
    """The state's value has the granted scopes; tokens stay with Composio."""
    answer = composio.connected_accounts.with_raw_response.retrieve(account.id)
    shown = answer.parse()

    assert (shown.status, shown.state.auth_scheme) == ("ACTIVE", "OAUTH2")
    assert shown.state.val.scope == ["repo", "read:org"]
    assert "token" not in answer.text()


def test_an_unknown_account_is_not_found(composio):
    """The client makes its own error of the error object."""
    with pytest.raises(composio_client.NotFoundError) as raised:
        composio.connected_accounts.retrieve("ca_nobody")

    assert raised.value.body["error"].keys() >= {"message", "status", "request_id", "slug", "code"}


def test_a_link_is_followed_by_its_customer(composio, account):
    """A link makes a further account, which is active once the customer has consented."""
    made = composio.link.with_raw_response.create(
        auth_config_id=account.auth_config.id, user_id=account.user_id
    )
    link = made.parse()
    state = composio.connected_accounts.retrieve

    assert made.status_code == 201
    assert link.redirect_url.endswith(link.link_token)
    assert state(link.connected_account_id).status == "INITIATED"
    assert wait_until(lambda: state(link.connected_account_id).status == "ACTIVE", within_s=5)
    assert state(account.id).status == "ACTIVE"


def test_a_link_needs_an_auth_config(composio, account):
    """An unknown one is not found."""
    with pytest.raises(composio_client.NotFoundError):
        composio.link.create(auth_config_id="ac_nothing", user_id=account.user_id)


def test_refresh_breaks_an_account_that_works(composio, account):
    """That is why it is deprecated."""
    with pytest.warns(DeprecationWarning, match="deprecated"):
        refreshed = composio.connected_accounts.refresh(account.id)

    assert refreshed.status == "INITIATED"
    assert refreshed.redirect_url
    assert composio.connected_accounts.retrieve(account.id).status == "INITIATED"


def test_an_account_is_disabled_and_enabled(composio, account):
    """A disabled account is inactive, and refused when a tool is run on it."""
    composio.connected_accounts.update_status(account.id, enabled=False)
    disabled = composio.connected_accounts.retrieve(account.id)
    composio.connected_accounts.update_status(account.id, enabled=True)

    assert (disabled.status, disabled.is_disabled) == ("INACTIVE", True)
    assert composio.connected_accounts.retrieve(account.id).status == "ACTIVE"


def test_a_deleted_account_is_gone(composio, account):
    """It is in no list any more."""
    assert composio.connected_accounts.delete(account.id).success
    assert account.id not in [one.id for one in composio.connected_accounts.list(limit=100).items]


def test_a_consent_is_revoked_once(raw, account):
    """Only an active account can be revoked; doing it again revokes nothing more."""
    path = f"/api/v3.1/connected_accounts/{account.id}/revoke"
    first, second = raw.post(path), raw.post(path)

    assert first.json()["revoked_tokens"] == ["access_token", "refresh_token"]
    assert (second.status_code, second.json()["revoked_tokens"]) == (200, [])
    assert second.json()["connected_account"]["status"] == "REVOKED"


def test_an_expired_account_cannot_be_revoked(raw, account):
    """It conflicts."""
    expire(raw, account)
    assert raw.post(f"/api/v3.1/connected_accounts/{account.id}/revoke").status_code == 409


def test_a_tool_runs_on_an_active_account_only(composio, raw, account):
    """An expired one is gone: HTTP 410 with code 1820."""
    about = {"user_id": account.user_id, "connected_account_id": account.id, "arguments": {}}
    assert composio.tools.execute("GITHUB_LIST_ISSUES", **about).successful
    expire(raw, account)
    with pytest.raises(composio_client.APIStatusError) as raised:
        composio.tools.execute("GITHUB_LIST_ISSUES", **about)

    error = raised.value.body["error"]
    assert (raised.value.status_code, error["code"]) == (410, 1820)
    assert error["message"].endswith("is in EXPIRED state")


@pytest.mark.parametrize(
    ("about", "status", "code"),
    [
        ({"user_id": "nobody"}, 400, 1803),
        ({"connected_account_id": "ca_nobody"}, 404, 1810),
    ],
)
def test_a_tool_without_an_account_is_refused(composio, about, status, code):
    """The code tells what is missing."""
    with pytest.raises(composio_client.APIStatusError) as raised:
        composio.tools.execute("GITHUB_LIST_ISSUES", arguments={}, **about)

    assert (raised.value.status_code, raised.value.body["error"]["code"]) == (status, code)


def test_a_tool_runs_for_no_other_user(composio, account):
    """The account must be the user's own."""
    with pytest.raises(composio_client.BadRequestError) as raised:
        composio.tools.execute(
            "GITHUB_LIST_ISSUES", user_id="nobody", connected_account_id=account.id, arguments={}
        )

    assert raised.value.body["error"]["code"] == 1812


def test_toolkits_and_auth_configs_are_listed(composio):
    """Each toolkit that needs a consent has an auth config."""
    toolkits = composio.toolkits.list(limit=50).items
    configs = composio.auth_configs.list(limit=50).items

    assert {one.toolkit.slug for one in configs} == {
        one.slug for one in toolkits if not one.no_auth
    }
    assert composio.auth_configs.list(toolkit_slug="gmail").items[0].id == "ac_gmail"


def test_an_unknown_key_is_refused(lab, raw):
    """The client raises its own error."""
    stranger = composio_client.Composio(
        api_key="another",
        base_url=str(raw.base_url),
        max_retries=0,
        http_client=httpx.Client(trust_env=False),
    )
    with pytest.raises(composio_client.AuthenticationError):
        stranger.toolkits.list()


def test_every_answer_tells_how_much_is_left(composio):
    """The minute's limit, what is left of it, and its length."""
    before = composio.toolkits.with_raw_response.list().headers
    after = composio.toolkits.with_raw_response.list().headers

    assert (before["x-ratelimit"], before["x-ratelimit-window-size"]) == ("2000", "60s")
    left = int(before["x-ratelimit-remaining"]) - int(after["x-ratelimit-remaining"])
    # A new minute may have begun between the two.
    assert left == 1 or int(after["x-ratelimit-remaining"]) >= 1998


def test_too_many_requests_are_held_back(composio, raw):
    """The answer comes from in front of the API, so it is not the error object."""
    raw.post(PROVIDER, json={"limit": 1})
    # A new minute may begin between two requests, so that the first of it is let through.
    with suppress(composio_client.RateLimitError):
        composio.toolkits.list()
        composio.toolkits.list()
    with pytest.raises(composio_client.RateLimitError) as raised:
        composio.toolkits.list()

    assert raised.value.body == {"message": "Rate limit exceeded. Limit: 1 requests per 1 minutes"}
    assert 0 < int(raised.value.response.headers["retry-after"]) <= 60


def test_two_keys_are_valid_until_one_is_revoked(raw, key):
    """Whoever knows a key may revoke it, and learns nothing by that."""
    raw.post(PROVIDER, json={"new_key": "ak_second_key_of_this_test"})
    second = {"x-api-key": "ak_second_key_of_this_test"}
    both = [raw.get("/api/v3/toolkits", headers=one).status_code for one in ({}, second)]
    said = raw.post("/api/v3.1/api_key_revocation", json={"api_keys": [key, "ak_unknown"]})
    after = [raw.get("/api/v3/toolkits", headers=one).status_code for one in ({}, second)]

    assert (both, after) == ([200, 200], [401, 200])
    assert said.json() == {"received": True}


def test_the_organisation_sees_the_keys_and_their_age(lab, raw):
    """Values are shown by their last four characters alone."""
    url = f"http://127.0.0.1:{lab.ports['composio_org']}/api/v3.1/org/owner/project/{PROJECT}"
    headers = {"x-org-api-key": read_secret(lab.folder, "composio_org.token")}
    shown = httpx.get(url, headers=headers, trust_env=False).json()["api_keys"]

    assert [one["name"] for one in shown] == ["agent"]
    assert shown[0]["key"].startswith("********")
    assert httpx.get(url, trust_env=False).status_code == 401


def test_the_partner_agrees_with_our_rows(composio, raw, hands):
    """Each tenant and toolkit with an approved row has exactly one active account."""
    accounts = composio.connected_accounts.list(limit=100).items
    rows = (
        hands.environment.reading([])
        .database()
        .rows(
            """
        select distinct m.tenant_id::text, c.toolkit_slug
        from mission_connections c join missions m on m.id = c.mission_id
        where c.status = 'approved'"""
        )
    )

    assert sorted((one.user_id, one.toolkit.slug) for one in accounts) == sorted(
        tuple(row.values()) for row in rows
    )


def test_what_was_executed_stands_in_the_log(composio, account):
    """With its arguments, a page at a time, whoever asked for it."""
    about = {"user_id": account.user_id, "connected_account_id": account.id}
    for number in range(3):
        composio.tools.execute("GITHUB_CREATE_COMMENT", arguments={"body": number}, **about)
    first = composio.logs.tools.list(cursor=None, limit=2)
    rest = composio.logs.tools.list(cursor=first.next_cursor, limit=2)
    shown = composio.logs.tools.retrieve(first.data[0].id)

    assert [len(first.data), len(rest.data), rest.next_cursor] == [2, 1, None]
    assert {(one.action_key, one.entity_id, one.status) for one in first.data} == {
        ("GITHUB_CREATE_COMMENT", account.user_id, "success")
    }
    assert (shown.payload_received, shown.connection.id) == ({"body": 2}, account.id)
    with pytest.raises(composio_client.NotFoundError):
        composio.logs.tools.retrieve("log_nothing")


def test_the_log_holds_no_call_that_was_refused(composio):
    """A call for nobody's account never became an execution."""
    began_ms = time.time() * 1000
    with suppress(composio_client.BadRequestError):
        composio.tools.execute("GITHUB_CREATE_COMMENT", arguments={}, user_id="nobody")

    assert composio.logs.tools.list(cursor=None, from_=began_ms).data == []


def test_a_call_whose_answer_was_lost_was_carried_out(composio, raw, account):
    """So it must not be sent again."""
    raw.post(OUTAGE, json={"path": "/api/v3.1/tools", "lost": True, "times": 1})
    with pytest.raises(composio_client.APIConnectionError):
        composio.tools.execute(
            "GITHUB_CREATE_COMMENT", arguments={"body": "once"}, user_id=account.user_id
        )
    raw.delete(OUTAGE)

    kept = composio.logs.tools.list(cursor=None)
    assert [one.action_key for one in kept.data] == ["GITHUB_CREATE_COMMENT"]


def test_a_provider_holds_back_inside_http_200(composio, raw, account):
    """One toolkit of one user is limited, and every other call goes through."""
    held = {"toolkit": "github", "user_id": account.user_id}
    raw.post(PROVIDER, json={"throttles": [held]})
    refused = composio.tools.execute("GITHUB_LIST_ISSUES", arguments={}, user_id=account.user_id)
    other = composio.tools.execute("WAREHOUSE_QUERY", arguments={}, user_id=account.user_id)

    assert (refused.successful, refused.data["http_status"]) == (False, 429)
    assert "rate limit" in refused.error
    assert other.successful


def test_others_use_the_same_limit(composio, raw):
    """The limit is the organisation's; a proxy in front of it may refuse without a word."""
    raw.post(PROVIDER, json={"others": 1_990})
    left = composio.toolkits.with_raw_response.list().headers["x-ratelimit-remaining"]
    raw.post(PROVIDER, json={"others": 2_001, "bare": True})
    bare = raw.get("/api/v3/toolkits")

    assert int(left) < 10
    assert (bare.status_code, bare.content) == (429, b"")
    assert not {"retry-after", "x-ratelimit"} & bare.headers.keys()
