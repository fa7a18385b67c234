"""Prometheus: a real one with half an hour of samples, and what stands before it."""

import json
import shutil
import subprocess
import time

import pytest

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.everyday.systems import prometheus
from runbook_nb.text.durations import minutes, seconds

STEP_S = 15
SPAN_S = 1800


def openmetrics(now: int) -> str:
    """Return half an hour of samples: two queues, a latency with one peak, a series that ended."""
    times = range(now - SPAN_S, now + 1, STEP_S)
    series = {
        'queue_depth{instance="a"}': dict.fromkeys(times, "10"),
        'queue_depth{instance="b"}': dict.fromkeys(times, "30"),
        'up{instance="a"}': dict.fromkeys(times, "1"),
        'up{instance="b"}': dict.fromkeys(times, "0"),
        'latency_seconds{instance="a"}': dict.fromkeys(times, "0.25") | {now - 600: "3.5"},
        'gaps{instance="a"}': {at: "NaN" if at > now - 300 else "7" for at in times},
        'nothing{instance="a"}': dict.fromkeys(times, "NaN"),
        'endless{instance="a"}': dict.fromkeys(times, "+Inf"),
        'ended{instance="a"}': {at: "5" for at in times if at <= now - 420},
    }
    metrics = dict.fromkeys(name.partition("{")[0] for name in series)
    lines = []
    for metric in metrics:
        lines.append(f"# TYPE {metric} gauge")
        for name, samples in series.items():
            if name.startswith(f"{metric}{{"):
                lines += [f"{name} {value} {at}" for at, value in samples.items()]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Prometheus with these samples, on a port that it chose itself."""
    for program in ("prometheus", "promtool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH; Debian's package prometheus has it")
    folder = tmp_path_factory.mktemp("prometheus")
    samples, data = folder / "samples.txt", folder / "data"
    samples.write_text(openmetrics(int(time.time())), encoding="utf-8")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", samples, data],
        check=True,
        capture_output=True,
    )
    (folder / "prometheus.yml").write_text("{}\n", encoding="utf-8")
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            "--web.listen-address=127.0.0.1:0",
            "--web.external-url=http://127.0.0.1/metrics-of-ours",
            "--query.max-samples=20000",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    # It says both, in either order.
    address, ready = "", False
    for line in process.stderr:
        if 'msg="Listening on"' in line:
            address = line.rpartition("address=")[2].split()[0]
        ready = ready or "Server is ready" in line
        if address and ready:
            break
    yield f"http://{address}/metrics-of-ours"
    process.terminate()
    process.communicate()


@pytest.fixture
def ours(server, staging):
    return staging(prometheus={"url": server})


def test_a_value_of_now_with_what_was_asked(ours):
    """The query, where it went, and the series behind the answer."""
    reading = ours.read(prometheus.value('latency_seconds{instance="a"}', unit="s"))

    assert reading.value == 0.25
    assert reading.detail["series"] == 'latency_seconds{instance="a"}'
    assert "/metrics-of-ours/api/v1/query?query=latency_seconds" in ours.asked[0]
    assert ours.source == "staging prometheus"


def test_the_author_names_the_unit():
    """PromQL has none; a limit in milliseconds fits an answer in seconds."""
    asked = prometheus.value("latency_seconds", unit="s")

    assert asked.unit == "s"
    assert str(asked).startswith("prometheus.value(query='latency_seconds', unit='s'")


def test_a_scalar_is_a_value(ours):
    """As is the sum of several series."""
    assert ours.value(prometheus.value("scalar(sum(queue_depth))")) == 40
    assert ours.value(prometheus.value("max(queue_depth)")) == 30


def test_no_data_is_unknown(ours):
    """A metric that nobody sends is no zero."""
    with pytest.raises(NoAnswerError, match="No data: no series answers `absent_metric`"):
        ours.read(prometheus.value("absent_metric"))


def test_several_series_are_an_error_that_names_them(ours):
    """Nobody can tell which of the two was meant."""
    with pytest.raises(NoAnswerError, match=r'2 series answer.*instance="a".*aggregate with max'):
        ours.read(prometheus.value("queue_depth"))


@pytest.mark.parametrize("query", ["vector(0) / 0", "vector(1) / 0", "vector(-1) / 0", "endless"])
def test_what_is_no_number_is_unknown(ours, query):
    """NaN and infinity come of a division by zero."""
    with pytest.raises(NoAnswerError, match="no number to judge"):
        ours.read(prometheus.value(query))


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("sum(", "refused the question with HTTP 400: bad_data: .*parse error"),
        ("queue_depth[5m]", "is a range of samples|2 series"),
        ('latency_seconds{instance="a"}[5m]', "is a range of samples"),
        ('"word"', "answered with a string"),
        ("sum_over_time(queue_depth[30m:100ms])", "HTTP 422: execution: .*too many samples"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(ours, query, reason):
    """In the server's own words."""
    with pytest.raises(NoAnswerError, match=reason):
        ours.read(prometheus.value(query))


def test_a_count_of_none_is_zero_where_the_series_are_there(ours):
    """A mistyped metric would be good news otherwise."""
    assert ours.value(prometheus.series_count("up == 0", present="up")) == 1
    assert ours.value(prometheus.series_count("up == 2", present="up")) == 0
    with pytest.raises(NoAnswerError, match="no series answers `upp`"):
        ours.read(prometheus.series_count("upp == 0", present="upp"))


def test_over_a_window_the_highest_lowest_mean_and_newest(ours):
    """One peak of 3.5 s ten minutes ago among sixty samples of 0.25 s."""
    asked = {"query": "latency_seconds", "window": minutes(15), "step": seconds(15), "unit": "s"}

    highest = ours.read(prometheus.range_max(**asked))

    assert highest.value == 3.5
    assert highest.detail["samples"] == "61 of 61"
    assert ours.value(prometheus.range_min(**asked)) == 0.25
    assert 0.25 < ours.value(prometheus.range_avg(**asked)) < 0.4
    assert ours.value(prometheus.range_last(**asked)) == 0.25


def test_a_series_that_ended_has_no_newest_value(ours):
    """It has a highest one, of the part that was there."""
    with pytest.raises(NoAnswerError, match=r"`ended` has no data since .* ago"):
        ours.read(prometheus.range_last("ended", window=minutes(15)))
    assert ours.value(prometheus.range_max("ended", window=minutes(15))) == 5


def test_samples_that_are_no_number_are_left_out_and_counted(ours):
    """A window of nothing else is unknown, and so is a newest one that is none."""
    reading = ours.read(prometheus.range_max("gaps", window=minutes(15)))

    assert reading.value == 7
    assert reading.detail["without a number"] > 10
    for asked in (
        prometheus.range_last("gaps", window=minutes(15)),
        prometheus.range_max("nothing", window=minutes(15)),
        prometheus.range_max("endless", window=minutes(15)),
    ):
        with pytest.raises(NoAnswerError, match=r"NaN|no number"):
            ours.read(asked)


def test_no_series_in_a_window_is_unknown(ours):
    """As it is now."""
    with pytest.raises(NoAnswerError, match="No data"):
        ours.read(prometheus.range_max("absent_metric", window=minutes(15)))


def test_too_many_points_are_refused_by_the_server(ours):
    """Its limit is 11,000."""
    with pytest.raises(NoAnswerError, match=r"bad_data: .*11,000 points"):
        ours.read(prometheus.range_max("up", window=minutes(600), step=seconds(1)))


def answer(**more) -> str:
    sample = {"metric": {}, "value": [1_700_000_000.0, "1"]}
    data = {"resultType": "vector", "result": [sample]}
    return json.dumps({"status": "success", "data": data} | more)


HISTOGRAM = {"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]}
SLOW = {"status": "error", "errorType": "timeout", "error": "slow"}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (502, "<html><h1>Bad gateway</h1>", "502 with text/html.*'Bad gateway'"),
        (200, "<html>Please sign in", "200 with text/html.*Please sign in"),
        (401, "<html>Unauthorized", "HTTP 401 with text/html"),
        (503, json.dumps(SLOW), "HTTP 503: timeout: slow"),
        (200, answer(warnings=["store b: no route"]), "part of the data only: store b: no route"),
        (200, answer(isPartial=True), "marked as partial"),
        (200, answer(data=[1]), "not Prometheus's"),
        (200, '{"status": "success"}', "not Prometheus's"),
        (200, '{"up": true}', "instead of Prometheus's JSON"),
        (200, "[]", "instead of Prometheus's JSON"),
        (200, answer(data=HISTOGRAM), "native histogram"),
    ],
)
def test_what_stands_before_it_or_lacks_a_part_is_unknown(serve, staging, status, body, reason):
    """A proxy's page, a login, a store that is away: none of them is an answer."""
    kind = "text/html" if body.startswith("<") else "application/json"
    ours = staging(prometheus={"url": serve(body, status=status, kind=kind).url})

    with pytest.raises(NoAnswerError, match=reason):
        ours.read(prometheus.value("up"))


def test_a_redirect_names_its_target(serve, staging):
    """A login page, most of the time; our token does not follow."""
    service = serve("", status=302, kind="text/html", Location="https://login.example.com/")

    with pytest.raises(NoAnswerError, match=r"HTTP 302 to https://login\.example\.com/"):
        staging(prometheus={"url": service.url}).read(prometheus.value("up"))


def test_notes_on_the_query_leave_the_answer_as_it_is(serve, staging):
    """They say how it is written, not that something is missing."""
    note = "PromQL info: metric might not be a counter"
    for body in (answer(infos=[note]), answer(warnings=[note])):
        ours = staging(prometheus={"url": serve(body).url})

        reading = ours.read(prometheus.value("rate(up[5m])"))

        assert reading.value == 1
        assert reading.detail["notes"] == [note]


def test_another_prometheus_is_named_by_its_system(serve, staging, monkeypatch):
    """With its own token."""
    monkeypatch.setenv("TRIAL_TOKEN", "correct-horse")
    service = serve(answer())
    ours = staging(thanos={"url": service.url, "token": "env:TRIAL_TOKEN"})

    assert ours.value(prometheus.value("up", system="thanos")) == 1
    assert service.received[0][2]["Authorization"] == "Bearer correct-horse"
    assert "correct-horse" not in ours.asked[0]


def test_one_that_cannot_be_reached_is_unknown(staging):
    """Nobody has read anything."""
    with pytest.raises(Exception, match="refused"):
        staging(prometheus={"url": "http://127.0.0.1:9"}).read(prometheus.value("up"))
