"""Roles instead of names: a postmortem asks what happened, not who is to blame."""

from collections.abc import Sequence

from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Approved, Closed, Event, Opened, Started

_MACHINE = "the machine"


class Roles:
    """What each person of an incident is called in its postmortem, by what they did first."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._known: dict[str, str] = {"": _MACHINE}
        starts = queries.of(events, Started)
        by_hand = [start.by for start in starts if start.attended]
        machines = [start.by for start in starts]
        machines += [first.by for first in queries.of(events, Opened)]
        approvers = [yes.by for yes in queries.of(events, Approved)]
        self._name(by_hand, "responder")
        self._name(approvers, "approver")
        self._name([name for name in machines if name not in self._known], "whoever ran it")
        commanders = [closed.statement.commander for closed in queries.of(events, Closed)]
        self._name([name for name in commanders if name], "commander")
        self._name([event.by for event in events], "colleague")

    def of(self, name: str) -> str:
        """Return the role of a person."""
        return self._known.get(name, "somebody")

    def without_names(self, text: str) -> str:
        """Return a text with the people's names replaced by their roles."""
        for name in sorted(self._known, key=len, reverse=True):
            if len(name) > 1:
                text = text.replace(name, self._known[name])
        return text

    def _name(self, names: Sequence[str], role: str) -> None:
        new = [name for name in dict.fromkeys(names) if name not in self._known]
        for number, name in enumerate(new, start=1):
            self._known[name] = role if len(new) == 1 else f"{role} {number}"
