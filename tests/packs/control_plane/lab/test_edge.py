"""The edge does what its Caddy configuration says, and its admin API keeps Caddy's rules."""

import httpx
import pytest

pytestmark = pytest.mark.lab

ROUTES = "/config/apps/http/servers/srv0/routes"
PROXY = ROUTES + "/0/handle/0"


def first_bytes(view, **query):
    """Return what a stream through the edge brings first, or None when it is silent for 5 s."""
    asked = {"mission_id": view.mission(), **query}
    url = view.url("edge") + "/api/stream/execution"
    try:
        with httpx.stream("GET", url, params=asked, timeout=5, trust_env=False) as answer:
            return next(answer.iter_raw(), b"")
    except httpx.ReadTimeout:
        return None


def change_proxy(admin, **settings):
    return admin.patch(PROXY, json={**admin.get(PROXY).json(), **settings})


def test_a_stream_passes_at_once(view):
    """Without buffers the first event is here before the first beat."""
    first = first_bytes(view)
    assert first.startswith(b"event: execution_started")
    assert b"heartbeat" not in first


def test_response_buffers_hold_a_stream_back(view, admin):
    """Not even the headers come through until the buffer is full."""
    assert change_proxy(admin, response_buffers=-1).status_code == 200
    assert first_bytes(view) is None


def test_a_full_buffer_is_sent(view, admin):
    """Buffers of a few bytes only delay a stream."""
    change_proxy(admin, response_buffers=20)
    assert first_bytes(view).startswith(b"event: execution_started")


def test_a_buffered_page_arrives_whole(view, admin):
    """What ends is sent when it has ended."""
    change_proxy(admin, response_buffers=-1)
    assert "Missions" in httpx.get(view.url("edge") + "/", trust_env=False).text


def test_a_route_can_stop_one_session(view, admin):
    """A static answer for one session_id leaves the others alone."""
    stop = {
        "@id": "stop-one",
        "match": [{"path": ["/api/stream/*"], "query": {"session_id": ["tab-bad"]}}],
        "handle": [{"handler": "static_response", "status_code": 204}],
    }
    assert admin.put(ROUTES + "/0", json=stop).status_code == 200
    stream = view.url("edge") + "/api/stream/execution"
    assert httpx.get(stream, params={"session_id": "tab-bad"}, trust_env=False).status_code == 204
    assert first_bytes(view, session_id="tab-good")

    assert admin.delete("/id/stop-one").status_code == 200
    assert len(admin.get(ROUTES).json()) == 1


def test_the_ui_sees_a_browser_leave(view):
    """A client that goes is gone behind the edge too; the row says that and its revision alone."""
    assert first_bytes(view, session_id="tab-that-left")

    def left():
        rows = view.streams_of("tab-that-left")
        return bool(rows) and rows[0]["metadata"].get("ended_by") == "client"

    assert view.eventually(left)
    (row,) = view.streams_of("tab-that-left")
    assert row["metadata"].keys() <= {"ended_by", "revision_id"}


def test_an_upstream_that_is_away_is_a_bad_gateway(view, admin):
    """The edge answers 502 itself."""
    change_proxy(admin, upstreams=[{"dial": "127.0.0.1:1"}])
    assert httpx.get(view.url("edge") + "/", trust_env=False).status_code == 502


def test_a_request_body_reaches_the_upstream(view):
    """The edge passes on what was posted."""
    url = view.url("edge") + "/api/execution/run"
    refused = httpx.post(url, content=b"no json", trust_env=False)
    assert refused.json()["code"] == "invalid_json"


@pytest.mark.parametrize(
    ("method", "path", "value", "code"),
    [
        ("PUT", ROUTES, [], 409),
        ("PATCH", PROXY + "/response_buffers", 1, 404),
        ("DELETE", PROXY + "/response_buffers", None, 404),
        ("PATCH", ROUTES + "/7", {}, 400),
        ("POST", PROXY + "/response_buffers", "many", 400),
        ("PATCH", PROXY + "/handler", "file_server", 400),
        ("DELETE", "/id/nobody", None, 404),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(admin, method, path, value, code):
    """It has an error in its answer and no effect."""
    before = admin.get("/config/").json()
    refused = admin.request(method, path, json=value)

    assert refused.status_code == code
    assert refused.json()["error"]
    assert admin.get("/config/").json() == before


def test_what_is_not_set_reads_as_null(admin):
    """Reading a key that an object has not is no error."""
    assert admin.get(PROXY + "/response_buffers").json() is None


def test_a_change_can_depend_on_what_was_read(admin):
    """If-Match with the Etag of an older version is refused."""
    etag = admin.get(PROXY).headers["etag"]
    assert admin.post(PROXY + "/response_buffers", json=1, headers={"if-match": etag}).is_success
    late = admin.post(PROXY + "/response_buffers", json=2, headers={"if-match": etag})
    assert late.status_code == 412
    assert admin.get(PROXY + "/response_buffers").json() == 1
