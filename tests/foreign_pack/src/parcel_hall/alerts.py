"""The alerts that the hall's monitoring sends, and what each says."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HallAlert:
    """One alert: it fires while its figure of `/metrics` is above a limit."""

    name: str
    summary: str
    figure: str
    above: float


CIRCLING = HallAlert(
    name="ParcelsCircling",
    summary="A parcel with a read label has been on the belt for more than 4 s.",
    figure="hall_longest_round_seconds",
    above=4,
)
UNSCANNED = HallAlert(
    name="LabelsUnread",
    summary="More than 20 parcels on the belt have a label that nobody has read.",
    figure="hall_parcels_unscanned",
    above=20,
)
ALERTS = (CIRCLING, UNSCANNED)
