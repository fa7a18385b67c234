"""Read a probe and send an action as the verbs do, with the connections of the lab."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.probes.calls import Action, Probe, Reading
from runbook_nb.probes.environment import Environment

# Written by the running agent, the pages and the jobs, whatever an action does.
ALIVE = {
    "mission_sessions",
    "telemetry_events",
    "workspace_stream_sessions",
    "composio_audit_events",
}
TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"
CONTENT = "select count(*), sum(hashtextextended(t::text, 0)) from public.{} as t"
CATALOGUE = """
select count(*), sum(hashtextextended(entry, 0))
from (
  select to_jsonb(c)::text from pg_policies c where schemaname = 'public'
  union all
  select relname || coalesce(relacl::text, '') || coalesce(reloptions::text, '')
    || relrowsecurity::text
  from pg_class where relnamespace = 'public'::regnamespace
  union all
  select pg_get_functiondef(oid) from pg_proc
  where pronamespace = 'public'::regnamespace and prokind = 'f'
  union all
  select attrelid::regclass || '.' || attname from pg_attribute
  join pg_class on pg_class.oid = attrelid and relnamespace = 'public'::regnamespace
  where not attisdropped
) as of_all (entry)
"""
WRITING = ("POST ", "PUT ", "PATCH ", "DELETE ")


class Hands:
    """A probe gets connections that only read; an action gets those that write.

    ``rehearsed``, ``done`` and ``undone`` name the actions for which that was tried; ``sent`` holds
    the writing requests of the last call, as the connection saw them.
    """

    def __init__(self, lab: Lab) -> None:
        self.environment = Environment.load("lab")
        self.rehearsed: set[str] = set()
        self.done: set[str] = set()
        self.undone: set[str] = set()
        self.sent: list[str] = []
        self._lab = lab

    def read(self, probe: Probe) -> Reading:
        """Read a probe now."""
        return self._with(self.environment.reading([]), probe.read)

    def value(self, probe: Probe) -> Any:
        """Read a probe now and return its answer alone."""
        return self.read(probe).value

    def rehearse(self, action: Action) -> Any:
        """Show what an action would change; that it changes nothing is demanded every time."""
        self.rehearsed |= parts(action)
        before = self._database()
        shown = self._writing(action.rehearsal)
        assert self.sent == [], f"the rehearsal of {action.name} sent {self.sent}"
        assert self._database() == before, f"the rehearsal of {action.name} changed the database"
        return shown

    def do(self, action: Action) -> Any:
        """Do an action."""
        self.done |= parts(action)
        return self._writing(action.do)

    def undo(self, action: Action, result: Any) -> Any:
        """Take an action back."""
        self.undone |= parts(action)
        return self._writing(lambda systems: action.take_back(systems, result))

    def _writing(self, call: Callable[[Any], Any]) -> Any:
        asked: list[str] = []
        try:
            return self._with(self.environment.writing(asked), call)
        finally:
            self.sent = [each.partition(" → ")[0] for each in asked if each.startswith(WRITING)]

    def _with(self, systems: Any, call: Callable[[Any], Any]) -> Any:
        try:
            return call(systems)
        finally:
            systems.close()

    def _database(self) -> dict[str, Any]:
        """Return a checksum of each table at rest, and of the catalogue."""
        with psycopg.connect(self._lab.dsn()) as connection:
            tables = [name for (name,) in connection.execute(TABLES) if name not in ALIVE]
            seen = {name: connection.execute(CONTENT.format(name)).fetchone() for name in tables}
            return {**seen, "the catalogue": connection.execute(CATALOGUE).fetchone()}


def parts(action: Action) -> set[str]:
    """Return the names of the actions that are done together as one."""
    return set(action.name.split(" + "))


@pytest.fixture
def hands(lab, request: pytest.FixtureRequest) -> Iterator[Hands]:
    """Give the hands, with the lab running; a test keeps what its marker promises."""
    hands = Hands(Lab(lab.folder))
    yield hands
    for marker in request.node.iter_markers("holds"):
        for action in marker.args:
            assert action in hands.rehearsed, f"{action} was not rehearsed"
            assert action in hands.done, f"{action} was not done"
            undone = action in hands.undone
            assert undone or marker.kwargs.get("undo") is False, f"{action} was not undone"
