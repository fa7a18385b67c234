"""The emulator for Composio executes tools and keeps what it was sent."""

import time

import httpx
import pytest

pytestmark = pytest.mark.lab


def execute(view, slug, *, key=None, version="v3.1", arguments=None):
    return httpx.post(
        f"{view.url('composio')}/api/{version}/tools/execute/{slug}",
        headers={"x-api-key": key or view.lab.secret("composio.token")},
        json={"arguments": arguments or {}},
        timeout=10,
        trust_env=False,
    )


@pytest.mark.parametrize("version", ["v3.1", "v3"])
def test_a_tool_answers(view, version):
    """The answer has the four fields of the documented one."""
    answer = execute(view, "SLACK_SEND_MESSAGE", version=version).json()

    assert answer.keys() == {"data", "error", "successful", "log_id"}
    assert (answer["successful"], answer["error"]) == (True, None)


def test_an_unknown_key_is_refused(view):
    """The error object says what to do."""
    refused = execute(view, "SLACK_SEND_MESSAGE", key="another")

    assert refused.status_code == 401
    assert refused.json()["error"].keys() == {"message", "status", "request_id", "suggested_fix"}


def test_an_unknown_tool_is_not_found(view):
    """The error names the tool."""
    refused = execute(view, "NO_SUCH_TOOL")

    assert refused.status_code == 404
    assert "NO_SUCH_TOOL" in refused.json()["error"]["message"]


def test_arguments_that_make_no_sense_are_refused(view):
    """Rows are a number."""
    assert execute(view, "WAREHOUSE_EXPORT", arguments={"rows": "many"}).status_code == 400


def test_an_export_takes_as_long_as_it_has_rows(view):
    """A hundred thousand rows take a second."""
    began = time.monotonic()
    execute(view, "WAREHOUSE_EXPORT", arguments={"rows": 40_000})
    assert time.monotonic() - began >= 0.4


def test_what_was_sent_is_kept_without_its_key(view):
    """A test can read the request that a runbook made, and no secret."""
    execute(view, "GMAIL_SEND_EMAIL", arguments={"to": "ops"})
    kept = httpx.get(view.url("composio") + "/__lab__/requests", trust_env=False).json()[-1]

    assert kept["method"] == "POST"
    assert kept["path"].endswith("/GMAIL_SEND_EMAIL")
    assert kept["body"] == {"arguments": {"to": "ops"}}
    assert kept["headers"]["x-api-key"] == "[masked]"


@pytest.fixture
def plan(view):
    """Give a finished run whose changes stand, and begin anew after."""
    yield view.rows(
        "select mission.tenant_id::text as tenant, plan.steps from mission_undo_plans as plan "
        "join missions as mission on mission.id = plan.mission_id "
        "where plan.status = 'expired' and plan.steps @> '[{\"toolkit\": \"hubspot\"}]' limit 1"
    )[0]
    httpx.delete(view.url("composio") + "/__lab__/provider", trust_env=False)


def run(view, plan, slug, arguments):
    answer = httpx.post(
        f"{view.url('composio')}/api/v3.1/tools/execute/{slug}",
        headers={"x-api-key": view.lab.secret("composio.token")},
        json={"user_id": plan["tenant"], "arguments": arguments},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_record_holds_what_a_run_made_of_it_and_what_a_tool_makes_of_it(view, plan):
    """It is read, changed back and read again; each change has its time."""
    step = next(each for each in plan["steps"] if each["toolkit"] == "hubspot")
    asked = {"id": step["arguments"]["id"]}
    before = run(view, plan, step["read_action"], asked)["data"]["results"][0]
    run(view, plan, step["reverse_action"], step["reverse_arguments"])
    after = run(view, plan, step["read_action"], asked)["data"]["results"][0]

    assert before["properties"] == step["arguments"]["properties"]
    assert after["properties"] == step["reverse_arguments"]["properties"]
    assert before["updated_at"] < after["updated_at"]


def test_a_record_that_is_not_there_is_not_found_and_cannot_be_deleted(view, plan):
    """Composio itself answers well, as it does for every error of a provider."""
    nobody = {"id": "draft-of-nobody"}
    assert run(view, plan, "GMAIL_GET_DRAFT", nobody)["data"] == {"results": []}
    told = run(view, plan, "GMAIL_DELETE_DRAFT", nobody)

    assert told["successful"] is False
    assert told["data"]["status_code"] == 404
    assert told["error"].startswith("404 Not Found")
