"""Connections to PostgreSQL end, whatever the server does."""

import os
import signal
import time

from runbook_nb.probes.environment import Environment


def test_a_server_that_takes_no_cancellation_is_left_all_the_same(lab):
    """Closing raises nothing and waits for nothing, so the reading that was taken stands."""
    systems = Environment.load("lab").reading([])
    assert systems.database().value("select 1 as one") == 1
    os.kill(lab.postgres_pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        systems.close()
        took_s = time.monotonic() - began
    finally:
        os.kill(lab.postgres_pid, signal.SIGCONT)
    # Nothing was asked, so there was nothing to cancel: that would have waited for 1 s.
    assert took_s < 0.5


class Stuck:
    """A connection that cannot be closed."""

    def close(self):
        raise OSError


def test_a_connection_that_cannot_be_closed_keeps_no_other_one_open():
    """And the outcome of the call is told all the same."""
    systems = Environment("trial", {"agent": {"url": "http://127.0.0.1:9"}}).reading([])
    systems._open["stuck", Stuck] = Stuck()
    agent = systems.http("agent")
    systems.close()

    assert agent._client.is_closed
