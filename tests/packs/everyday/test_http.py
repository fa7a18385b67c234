"""HTTP against real servers on loopback."""

import json
import socket

import pytest

from runbook_nb.errors import NoAnswerError, ParameterError, WriteRefusedError
from runbook_nb.packs.everyday.systems import http

ORDERS = json.dumps({"data": {"items": [{"state": "open", "age_s": 12.5}], "none": None}})


@pytest.mark.parametrize("status", [200, 204, 404, 503])
def test_a_status_is_read_whatever_it_is(serve, staging, status):
    """With what was asked, and where."""
    shop = staging(shop={"url": serve(status=status).url})

    assert shop.value(http.status("shop", "/health?deep=1")) == status
    assert "/health?deep=1" in shop.asked[0]
    assert f"→ {status} in " in shop.asked[0]
    assert shop.source == "staging shop"


def test_a_redirect_is_not_followed(serve, staging):
    """Its target is shown."""
    service = serve(status=301, Location="https://elsewhere.example.com/")

    reading = staging(shop={"url": service.url}).read(http.status("shop"))

    assert reading.value == 301
    assert reading.detail["location"] == "https://elsewhere.example.com/"
    assert len(service.received) == 1


def test_a_service_that_cannot_be_reached_has_no_status(staging):
    """Nobody has read anything."""
    with pytest.raises(Exception, match="refused"):
        staging(shop={"url": "http://127.0.0.1:9"}).read(http.status("shop"))


def test_a_service_that_is_silent_has_no_status(staging):
    """It accepts a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shop = staging(shop={"url": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        probe = http.status("shop")
        quick = type(probe)(**{**vars(probe), "timeout_s": 0.3})

        with pytest.raises(TimeoutError, match="No answer within"):
            shop.read(quick)


def test_a_field_of_the_answer_in_its_unit(serve, staging):
    """By its path."""
    shop = staging(shop={"url": serve(ORDERS).url})
    probe = http.json_value("shop", "/orders", "data.items[0].age_s", unit="s")

    assert probe.unit == "s"
    assert shop.value(probe) == 12.5
    assert shop.value(http.json_count("shop", "/orders", "data.items")) == 1


@pytest.mark.parametrize(
    ("body", "path", "reason"),
    [
        (ORDERS, "data.none", "data.none is null"),
        (ORDERS, "data.orders", "data has no 'orders'; it has items, none"),
        ('{"rate": NaN}', "rate", "no number to judge"),
        ("<html>Sign in", "rate", "is not JSON. It begins: 'Sign in'"),
        ("", "rate", "is not JSON"),
    ],
)
def test_no_such_field_is_unknown(serve, staging, body, path, reason):
    """As are null, NaN and a page."""
    with pytest.raises(NoAnswerError, match=reason):
        staging(shop={"url": serve(body).url}).read(http.json_value("shop", "/", path))


def test_an_error_page_is_no_answer_unless_its_status_is_named(serve, staging):
    """A health page says in its own words why it answers 503."""
    shop = staging(shop={"url": serve('{"database": "down"}', status=503).url})

    with pytest.raises(NoAnswerError, match=r"answered 503, not 200"):
        shop.read(http.json_value("shop", "/health", "database"))
    named = http.json_value("shop", "/health", "database", accept=(200, 503))
    assert shop.value(named) == "down"


def test_a_header_that_is_not_there_is_empty(serve, staging):
    """The answer was read, so this is known."""
    shop = staging(shop={"url": serve(Cache_Control="no-store").url})

    assert shop.value(http.header("shop", "/", "cache-control")) == "no-store"
    reading = shop.read(http.header("shop", "/", "strict-transport-security"))
    assert (reading.value, reading.detail["present"]) == ("", False)
    with pytest.raises(ParameterError, match="belongs in no record"):
        shop.read(http.header("shop", "/", "Set-Cookie"))


def test_the_time_of_an_answer_is_in_milliseconds(serve, staging):
    """An error that comes fast says nothing."""
    probe = http.latency_ms("shop")

    assert probe.unit == "ms"
    assert 0 < staging(shop={"url": serve().url}).value(probe) < 5000
    with pytest.raises(NoAnswerError, match="answered 500; the time"):
        staging(shop={"url": serve(status=500).url}).read(probe)


@pytest.mark.parametrize("path", ["https://elsewhere.example.com/", "//elsewhere", "orders"])
def test_a_path_leads_to_no_other_host(serve, staging, monkeypatch, path):
    """It would carry this service's token there."""
    monkeypatch.setenv("TRIAL_TOKEN", "correct-horse")
    service = serve()
    shop = staging(shop={"url": service.url, "token": "env:TRIAL_TOKEN"})

    with pytest.raises(ParameterError, match="single slash"):
        shop.read(http.status("shop", path))
    assert service.received == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post"])
def test_a_probe_sends_no_writing_method(serve, staging, method):
    """It is refused before it leaves this process."""
    service = serve()
    systems = staging(shop={"url": service.url}).environment.reading([])

    with pytest.raises(WriteRefusedError, match="probes only read"):
        systems.http("shop").request(method, "/orders", json={})
    systems.close()
    assert service.received == []
