"""What a verb adds to the probe it runs: judge, mask, chain, sync, draw a card and the board.

The board is that of the longest runbook, in an incident that already has 500 events.
"""

import tempfile
from pathlib import Path

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
EVENTS = 500


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


def main() -> None:
    """Compare checks late in a long incident with bare reads."""
    with tempfile.TemporaryDirectory() as folder:
        incident = trial(Path(folder))
        answer = scripted_probe(1.0, unit="s")
        titles = [step.title for step in incident._runbook.steps if step.verb == "check"]
        option = incident._runbook.options()[0]
        systems = Environment("lab", {"kind": "lab"}).reading([])

        def check(number: int) -> None:
            title = titles[number % len(titles)]
            card = incident.check(title, answer, expect=at_most(5, "s"), if_failed=option)
            card._repr_mimebundle_()

        for number in range(EVENTS):
            check(number)
        medians = interleaved(
            {
                f"{STEPS} bare probes": lambda: [answer.read(systems) for _ in range(STEPS)],
                f"{STEPS} checks with their cards": lambda: [
                    check(number) for number in range(STEPS)
                ],
            },
            rounds=5,
        )
    show(medians, against=f"{STEPS} bare probes")
    bare, checked = medians.values()
    print(f"a check adds {(checked - bare) / STEPS * 1000:.2f} ms")


if __name__ == "__main__":
    main()
