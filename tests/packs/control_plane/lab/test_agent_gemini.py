"""A turn of the model, as the lab's agent asks for it."""

from collections.abc import Iterator

import httpx
import pytest

from runbook_nb.packs.control_plane.lab.agent_gemini import PREAMBLE, GeminiClient
from runbook_nb.packs.control_plane.lab.emulators.gemini import PROJECT, USUAL
from runbook_nb.timeline.store.embedded.files import read_secret

pytestmark = pytest.mark.lab


@pytest.fixture
def project(lab) -> Iterator[httpx.Client]:
    """Do what the project's owner does; afterwards all is as it was."""
    url = f"http://127.0.0.1:{lab.ports['gemini']}"
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client
        client.delete(PROJECT)


def test_without_a_model_nothing_is_asked():
    """A machine whose environment names none plays as before."""
    assert GeminiClient.of({"GEMINI_TOKEN": "key"}) is None


def test_a_turn_says_what_it_used_or_how_it_was_refused(lab, project):
    """Which quota it was, and for how long; a text that is held back comes with HTTP 200."""
    client = GeminiClient(
        url=f"http://127.0.0.1:{lab.ports['gemini']}",
        key=read_secret(lab.folder, "gemini.token"),
        model=USUAL,
    )
    answered = client.turn("Read the newest records")
    assert (answered.error_code, answered.http_status) == (None, 200)
    assert answered.usage()["token_usage"] == answered.prompt_tokens + answered.output_tokens > 4

    project.post(PROJECT, json={"others": {USUAL: {"requests_a_minute": 1_000}}})
    refused_turn = client.turn("Read the newest records")
    assert refused_turn.error_code == "RESOURCE_EXHAUSTED"
    assert refused_turn.quota_id == "GenerateRequestsPerMinutePerProjectPerModel"
    assert (refused_turn.retry_after_seconds or 0) >= 1
    project.delete(PROJECT)
    project.post(PROJECT, json={"blocked_words": [PREAMBLE]})
    assert client.turn("Read the newest records").error_code == "SAFETY"
