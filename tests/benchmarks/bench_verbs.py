"""What a check adds to the probe it runs: judge, mask, chain, sync, draw a card and the board.

The board is that of the longest runbook, in incidents that have ever more events. Each case is an
incident of its own; the cost of a check is to be the same in all of them.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import interleaved, show

from runbook_nb import at_most
from runbook_nb.incident import Incident
from runbook_nb.incident.board import Board
from runbook_nb.incident.cards import BoardCard, Card
from runbook_nb.incident.context import RunContext
from runbook_nb.probes.environment import Environment
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.testing import scripted_probe
from runbook_nb.timeline.incidents import declare

STEPS = 20
EVENTS = (10, 1_000, 10_000)


class Drawn:
    """A screen that draws what it is given, as a notebook does, and sends it nowhere."""

    def card(self, card: Card) -> None:
        """Draw a card."""
        card._repr_mimebundle_()

    def board(self, board: Board) -> None:
        """Draw the board."""
        BoardCard(board)._repr_mimebundle_()

    def say(self, text: str) -> None:
        """Say nothing."""

    def working(self, text: str) -> None:
        """Say nothing."""

    def rest(self) -> None:
        """Take nothing away."""


def trial(folder: Path) -> Incident:
    """Return an incident on the longest runbook."""
    runbook = max(Runbook.every(), key=lambda each: len(each.steps))
    timeline = declare(
        folder,
        incident=None,
        title="Trial",
        severity="SEV3",
        runbook=runbook.name,
        environment="lab",
        by="bench",
        alert=None,
        redactor=Redactor(),
    )
    return Incident(
        context=RunContext(
            incidents=folder,
            incident=timeline.path.parent.name,
            run="run",
            notebook=runbook.path,
            actor="bench",
            attended=False,
        ),
        timeline=timeline,
        runbook=runbook,
        environment=Environment("lab", {"kind": "lab"}),
        parameters={},
        screen=Drawn(),
    )


def checking(incident: Incident) -> Callable[[int], None]:
    """Return what does so many checks with their cards."""
    answer = scripted_probe(1.0, unit="s")
    titles = cycle(step.title for step in incident._runbook.steps if step.verb == "check")
    option = incident._runbook.options()[0]

    def check(times: int) -> None:
        for title in islice(titles, times):
            card = incident.check(title, answer, expect=at_most(5, "s"), if_failed=option)
            card._repr_mimebundle_()

    return check


def main() -> None:
    """Compare checks early and late in an incident with bare reads."""
    answer = scripted_probe(1.0, unit="s")
    systems = Environment("lab", {"kind": "lab"}).reading([])
    bare = f"{STEPS} bare probes"
    cases: dict[str, Callable[[], object]] = {
        bare: lambda: [answer.read(systems) for _ in range(STEPS)]
    }
    with ExitStack() as folders:
        for events in EVENTS:
            check = checking(trial(Path(folders.enter_context(TemporaryDirectory()))))
            check(events)
            cases[f"{STEPS} checks after {events:,} events"] = partial(check, STEPS)
        medians = interleaved(cases, rounds=5)
    show(medians, against=bare)
    for name, taken in list(medians.items())[1:]:
        print(f"{name}: a check adds {(taken - medians[bare]) / STEPS * 1000:.2f} ms")


if __name__ == "__main__":
    main()
