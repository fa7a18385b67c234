"""The places between two durable steps of an action, where a crash leaves a state of its own."""

from enum import StrEnum


class Place(StrEnum):
    """What has just become true when a run reaches it; a test may end a process there."""

    BEGUN = "begun"  # the attempt is on the timeline, nothing was sent
    RETURNED = "returned"  # the action has returned, its last transaction is held back
    KEPT = "kept"  # its result is kept for an undo
    TOLD = "told"  # a change is on the timeline, and not yet sent or committed
    COMMITTED = "committed"  # a transaction is committed
    SENT = "sent"  # all was sent, and the outcome is not on the timeline
    ENDED = "ended"  # the outcome is on the timeline, connections are still open


def pass_by(_place: Place) -> None:
    """Go on."""
