"""Which known alerts have a live runbook, and which have none or more than one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook_nb.runbook.catalog.entry import Entry, EntryState, live
from runbook_nb.runbook.packs import packs_in_use


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """One alert: where it is known from, and the live runbooks that answer it."""

    alert: str
    known_from: tuple[str, ...]
    answered_by: tuple[str, ...]

    @property
    def is_covered(self) -> bool:
        """Whether exactly one live runbook answers it; two are as bad as none."""
        return len(self.answered_by) == 1

    def facts(self) -> dict[str, Any]:
        """Return the line as JSON."""
        return {
            "alert": self.alert,
            "known_from": list(self.known_from),
            "answered_by": list(self.answered_by),
            "covered": self.is_covered,
        }


def coverage(entries: Sequence[Entry], known: Mapping[str, Iterable[str]]) -> list[Coverage]:
    """Return every known alert by name; ``known`` maps a place to the alerts it knows."""
    places: dict[str, list[str]] = {}
    for place, alerts in known.items():
        for alert in alerts:
            places.setdefault(alert, []).append(place)
    for entry in entries:
        for alert in entry.alerts:
            kept = "" if entry.state is EntryState.LIVE else f" ({entry.state})"
            places.setdefault(alert, []).append(f"{entry.name}{kept}")
    return [
        Coverage(
            alert=alert,
            known_from=tuple(dict.fromkeys(found)),
            answered_by=answering(alert, entries),
        )
        for alert, found in sorted(places.items())
    ]


def answering(alert: str, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Return the names of the live runbooks that answer an alert."""
    return tuple(entry.name for entry in live(entries) if alert in entry.alerts)


def known_alerts(*, say: Callable[[str], None] = lambda _: None) -> dict[str, Mapping[str, str]]:
    """Return the alerts of each pack in use, by the pack's name, with the sentence each says.

    A pack whose alerts cannot be loaded is passed over; ``say`` is told why.
    """
    found = {}
    for pack in packs_in_use():
        try:
            found[pack.name] = pack.alerts()
        # A pack is foreign code, and what is wrong with one is no reason to hide the others.
        except Exception as error:  # noqa: BLE001 - see above
            say(f"The alerts of the pack {pack.name} are passed over: {error}.")
    return found


def alert_summaries() -> dict[str, str]:
    """Return the sentence that each known alert says, by the alert's name."""
    return {name: said for alerts in known_alerts().values() for name, said in alerts.items()}
