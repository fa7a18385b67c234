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
    assert 0.4 <= time.monotonic() - began < 1.5


def test_what_was_sent_is_kept_without_its_key(view):
    """A test can read the request that a runbook made, and no secret."""
    execute(view, "GMAIL_SEND_EMAIL", arguments={"to": "ops"})
    kept = httpx.get(view.url("composio") + "/__lab__/requests", trust_env=False).json()[-1]

    assert kept["method"] == "POST"
    assert kept["path"].endswith("/GMAIL_SEND_EMAIL")
    assert kept["body"] == {"arguments": {"to": "ops"}}
    assert kept["headers"]["x-api-key"] == "[masked]"
