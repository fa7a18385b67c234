"""Google's own Python client works against the lab's emulator, errors and quotas included."""

import math
import time
from collections.abc import Iterator

import httpx
import pytest

from runbook_nb.packs.control_plane.lab.emulators.gemini import PROJECT, PROJECT_ID, USUAL
from runbook_nb.timeline.store.embedded.files import read_secret

genai = pytest.importorskip("google.genai", reason="the extra `contract` brings Google's client")

pytestmark = pytest.mark.lab
EMBEDDING = "gemini-embedding-001"
QUOTAS = f"/v1/projects/{PROJECT_ID}/locations/global/services/generativelanguage.googleapis.com"


@pytest.fixture
def raw(lab) -> Iterator[httpx.Client]:
    """Speak to Gemini without the client; afterwards its project is as it was."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['gemini']}",
        headers={"x-goog-api-key": read_secret(lab.folder, "gemini.token")},
        trust_env=False,
    ) as client:
        yield client
        client.delete(PROJECT)


@pytest.fixture
def gemini(lab, raw) -> "genai.Client":
    """Make the vendor's client; it retries nothing unless it is told to."""
    return genai.Client(
        api_key=read_secret(lab.folder, "gemini.token"),
        http_options={"base_url": f"http://127.0.0.1:{lab.ports['gemini']}"},
    )


def refused(call, *words) -> "genai.errors.APIError":
    """Return the error of a call that is refused."""
    with pytest.raises(genai.errors.APIError) as caught:
        call(*words)
    return caught.value


def ask(gemini, text="What comes next?", model=USUAL):
    return gemini.models.generate_content(model=model, contents=text)


def test_a_model_answers_with_what_it_cost(gemini):
    """The text, why it ended, and the tokens in and out."""
    answer = ask(gemini)

    assert answer.text
    assert answer.candidates[0].finish_reason == genai.types.FinishReason.STOP
    used = answer.usage_metadata
    assert used.prompt_token_count + used.candidates_token_count == used.total_token_count > 4
    assert answer.model_version == USUAL


def test_an_answer_comes_as_a_stream(gemini):
    """The client reads server-sent events."""
    pieces = gemini.models.generate_content_stream(model=USUAL, contents="Go on")
    assert "".join(piece.text for piece in pieces)


def test_the_models_come_in_pages(gemini):
    """Those that make text, and those that make vectors."""
    pager = gemini.models.list(config={"page_size": 2})
    assert {"models/gemini-2.5-flash", f"models/{EMBEDDING}"} <= {one.name for one in pager}
    assert gemini.models.get(model=EMBEDDING).supported_actions[0] == "embedContent"


@pytest.mark.parametrize(("length", "norm"), [(None, 1), (1536, math.sqrt(0.5))])
def test_only_the_full_vector_has_the_length_one(gemini, length, norm):
    """A shorter one is its beginning, and has to be scaled by whoever asked."""
    config = {"output_dimensionality": length} if length else None
    found = gemini.models.embed_content(model=EMBEDDING, contents="renewals", config=config)
    values = found.embeddings[0].values

    assert len(values) == (length or 3072)
    assert math.hypot(*values) == pytest.approx(norm, abs=0.001)


def test_texts_of_one_subject_lie_close_together(gemini):
    """And those of two do not; another model tells nothing of this one's vectors."""
    texts = ["Rescue renewals at risk", "Forecast lapsed contracts", "Tag billing tickets"]

    def vectors(model):
        found = gemini.models.embed_content(model=model, contents=texts).embeddings
        return [each.values for each in found]

    def cosine(one, other):
        return sum(a * b for a, b in zip(one, other, strict=True))

    first, second, third = vectors(EMBEDDING)
    assert cosine(first, second) > 0.5
    assert abs(cosine(first, third)) < 0.2
    assert abs(cosine(first, vectors("gemini-embedding-2")[0])) < 0.2


@pytest.mark.parametrize(
    ("quota", "kind"),
    [
        ("requests_a_minute", "GenerateRequestsPerMinutePerProjectPerModel"),
        ("tokens_a_minute", "GenerateContentPaidTierInputTokensPerModelPerMinute"),
        ("requests_a_day", "GenerateRequestsPerDayPerProjectPerModel"),
    ],
)
def test_a_refusal_names_its_quota_and_the_wait(gemini, raw, quota, kind):
    """The details say which quota of the project, how large, and when to come again."""
    raw.post(PROJECT, json={"limits": {"gemini-2.5-pro": {quota: 0}}})
    error = refused(ask, gemini, "Hello", "gemini-2.5-pro")

    assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")
    found = {one["@type"].rpartition(".")[2]: one for one in error.details["error"]["details"]}
    (violation,) = found["QuotaFailure"]["violations"]
    assert (violation["quotaId"], violation["quotaValue"]) == (kind, "0")
    assert violation["quotaDimensions"]["model"] == "gemini-2.5-pro"
    assert int(found["RetryInfo"]["retryDelay"].rstrip("s")) >= 1
    assert ask(gemini).text  # another model of the project has quotas of its own


def test_the_client_retries_only_when_told_to(lab, gemini, raw):
    """Every second call meets a model without capacity."""
    raw.post(PROJECT, json={"overload": {USUAL: 2}})
    asked = [0, 0]
    for _ in range(2):
        try:
            asked[0] += bool(ask(gemini).text)
        except genai.errors.ServerError as error:
            asked[1] += (error.code, error.status) == (503, "UNAVAILABLE")
    assert asked == [1, 1]
    patient = genai.Client(
        api_key=read_secret(lab.folder, "gemini.token"),
        http_options=genai.types.HttpOptions(
            base_url=f"http://127.0.0.1:{lab.ports['gemini']}",
            retry_options=genai.types.HttpRetryOptions(attempts=3, initial_delay=0.01, jitter=0),
        ),
    )
    assert ask(patient).text
    assert ask(patient).text


def test_what_is_held_back_for_safety_is_no_error(gemini, raw):
    """An answer without a candidate, and the reason beside it."""
    raw.post(PROJECT, json={"blocked_words": ["explosive"]})
    answer = ask(gemini, "an explosive growth plan")

    assert answer.candidates is None
    assert answer.prompt_feedback.block_reason == genai.types.BlockedReason.SAFETY
    assert ask(gemini).text


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"retire": [USUAL]}, 404, "NOT_FOUND"),
        ({"billing": False}, 403, "PERMISSION_DENIED"),
    ],
)
def test_a_retired_model_and_a_closed_account_are_no_quota(gemini, raw, change, code, status):
    """Each has an answer of its own."""
    raw.post(PROJECT, json=change)
    error = refused(ask, gemini)
    assert (error.code, error.status) == (code, status)


def test_a_wrong_key_is_a_bad_request(lab, raw):
    """Google answers 400 and names the reason; without a key it is 403."""
    own = genai.Client(
        api_key="another", http_options={"base_url": f"http://127.0.0.1:{lab.ports['gemini']}"}
    )
    error = refused(ask, own)
    assert error.code == 400
    assert error.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert httpx.get(str(raw.base_url) + "/v1beta/models", trust_env=False).status_code == 403


def test_more_texts_than_a_batch_takes_are_refused(gemini):
    """A hundred at a time."""
    call = gemini.models.embed_content
    with pytest.raises(genai.errors.ClientError):
        call(model=EMBEDDING, contents=["text"] * 101)


def test_the_console_tells_the_quotas_and_their_use(lab, raw, gemini):
    """For all callers of the project, in the form of Cloud Quotas and of Monitoring."""
    raw.post(PROJECT, json={"used_today": {"gemini-2.5-pro": 4_000}})
    for _ in range(3):
        ask(gemini, model="gemini-2.5-pro")
    with httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['google_cloud']}", trust_env=False
    ) as console:
        assert console.get(f"{QUOTAS}/quotaInfos").status_code == 401
        token = read_secret(lab.folder, "google_cloud.token")
        console.headers["authorization"] = f"Bearer {token}"
        infos = console.get(f"{QUOTAS}/quotaInfos").json()["quotaInfos"]
        series = console.get(f"/v3/projects/{PROJECT_ID}/timeSeries").json()["timeSeries"]

    limits = {(one["quotaId"], one["dimensionsInfos"][0]["dimensions"]["model"]) for one in infos}
    use = {
        (one["metric"]["labels"]["limit_name"], one["metric"]["labels"]["model"]): int(
            one["points"][0]["value"]["int64Value"]
        )
        for one in series
    }
    assert use.keys() == limits
    assert use["GenerateRequestsPerDayPerProjectPerModel", "gemini-2.5-pro"] == 4_003
    assert use["GenerateRequestsPerMinutePerProjectPerModel", "gemini-2.5-pro"] == 3


def test_a_model_may_be_slow(raw, gemini):
    """The answer comes all the same."""
    raw.post(PROJECT, json={"slow": {"gemini-2.5-pro": 0.3}})
    began = time.monotonic()
    assert ask(gemini, model="gemini-2.5-pro").text
    assert time.monotonic() - began >= 0.3
