"""The everyday pack as a whole: its calls only read, and are named as a runbook calls them."""

from datetime import UTC, datetime

import pytest

from runbook_nb.incident.check import read_evidence
from runbook_nb.packs.everyday.systems import command, http, kubectl, prometheus, sql
from runbook_nb.probes.calls import ActionFactory, ProbeFactory

SYSTEMS = {
    "command": command,
    "http": http,
    "kubectl": kubectl,
    "prometheus": prometheus,
    "sql": sql,
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_call_of_a_system_is_a_probe_with_a_sentence_about_it(name):
    """There is no action in this pack."""
    system = SYSTEMS[name]
    calls = {
        call: found
        for call, found in vars(system).items()
        if isinstance(found, ProbeFactory | ActionFactory)
    }

    assert sorted(calls) == system.__all__ == sorted(system.__all__)
    assert all(isinstance(found, ProbeFactory) for found in calls.values())
    assert all(found.__doc__.startswith("Return ") for found in calls.values())


def test_a_call_is_named_by_its_system():
    """Though its function stands in the system's probes.py."""
    assert str(sql.count("select 1", sample=0)).startswith("sql.count(query='select 1', ")
    assert prometheus.value("up").name == "prometheus.value"
    assert repr(http.status("shop")) == "<Probe http.status(service='shop', path='/'), not run yet>"


def test_the_evidence_says_what_was_asked_where_and_why_there_is_no_answer(serve, staging):
    """As the record shows it."""
    ours = staging(prometheus={"url": serve("<html>Sign in", kind="text/html").url})
    now = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

    evidence = read_evidence(prometheus.value("up", unit="s"), ours.environment, read_at=now)

    assert (evidence.answer, evidence.unit) == (None, "s")
    assert evidence.source == "staging prometheus"
    assert "/api/v1/query?query=up → 200 in " in evidence.asked[0]
    assert "instead of Prometheus's JSON" in evidence.reason


def test_one_system_may_be_a_database_and_a_service(serve, staging, tmp_path):
    """Each connection is opened once, and both are named as one source."""
    (tmp_path / "shop.db").touch()
    settings = {"url": serve("{}").url, "reader": f"sqlite:///{tmp_path / 'shop.db'}"}
    systems = staging(shop=settings).environment.reading([])

    assert systems.database("shop").value("select 1") == 1
    assert systems.http("shop").get("/").status_code == 200
    assert systems.database("shop") is systems.database("shop")
    assert systems.source == "staging shop"
    systems.close()
