"""Read a probe and send an action as the verbs do, with the connections of the lab."""

from collections.abc import Callable
from typing import Any

import pytest

from runbook_nb.calls import Action, Probe, Reading
from runbook_nb.environment import Environment


class Hands:
    """A probe gets connections that only read; an action gets those that write."""

    def __init__(self) -> None:
        self.environment = Environment.load("lab")

    def read(self, probe: Probe) -> Reading:
        """Read a probe now."""
        return self._with(self.environment.reading([]), probe.read)

    def value(self, probe: Probe) -> Any:
        """Read a probe now and return its answer alone."""
        return self.read(probe).value

    def rehearse(self, action: Action) -> Any:
        """Show what an action would change."""
        return self._with(self.environment.writing([]), action.rehearsal)

    def do(self, action: Action) -> Any:
        """Do an action."""
        return self._with(self.environment.writing([]), action.do)

    def undo(self, action: Action, result: Any) -> Any:
        """Take an action back."""
        return self._with(
            self.environment.writing([]), lambda systems: action.take_back(systems, result)
        )

    def _with(self, systems: Any, call: Callable[[Any], Any]) -> Any:
        try:
            return call(systems)
        finally:
            systems.close()


@pytest.fixture
def hands(lab) -> Hands:
    """Give the hands, with the lab running."""
    return Hands()
