"""The schema of the store: brought to this release's version once."""

import threading

import psycopg
import pytest

from runbook_nb.errors import StoreUnavailableError
from runbook_nb.timeline.store.database import (
    connected,
    demand_current,
    migrate,
    version_known,
    version_of,
)

pytestmark = pytest.mark.slow


def test_an_empty_database_is_brought_to_this_version_once(empty):
    """The second time nothing is left to do."""
    with pytest.raises(StoreUnavailableError, match="runbook store migrate"):
        demand_current(empty)
    assert migrate(empty) == list(range(1, version_known() + 1))
    assert migrate(empty) == []
    demand_current(empty)
    with connected(empty) as connection:
        assert version_of(connection) == version_known()


def test_two_that_migrate_at_once_apply_each_file_once(empty):
    """One waits for the other."""
    applied = []
    threads = [threading.Thread(target=lambda: applied.append(migrate(empty))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, applied)) == [0, 0, 0, version_known()]


def test_a_newer_store_is_left_alone(store):
    """Nobody knows what a later release means by its tables."""
    with psycopg.connect(store) as connection:
        connection.execute("insert into runbook.version (number) values (999)")
    for use in (migrate, demand_current):
        with pytest.raises(StoreUnavailableError, match="version 999"):
            use(store)


def test_a_store_that_is_away_is_said_without_its_password(server):
    """Nothing listens there."""
    dsn = "postgresql://runbook:hunter2hunter2@127.0.0.1:9/store"
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
        migrate(dsn)
    assert "hunter2" not in str(caught.value)
