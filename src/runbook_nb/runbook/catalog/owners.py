"""Who owns each runbook and who is called, held against ``contacts.toml``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from runbook_nb.errors import near
from runbook_nb.runbook.catalog.entry import Entry, live
from runbook_nb.runbook.contacts import CONTACTS, Contact, Contacts


class OwnerStanding(StrEnum):
    """What is to be said of an owner or an address."""

    FINE = "fine"
    STALE = "stale"
    UNKNOWN = "unknown"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class OwnerFinding:
    """One owner or address of one runbook, and what is to be said of it."""

    runbook: str
    role: str
    name: str
    standing: OwnerStanding
    said: str = ""

    def facts(self) -> dict[str, Any]:
        """Return the finding as JSON."""
        return {
            "runbook": self.runbook,
            "role": self.role,
            "name": self.name,
            "standing": self.standing,
            "said": self.said,
        }


def review_owners(
    entries: Sequence[Entry], contacts: Contacts, *, review_days: int, today: date
) -> list[OwnerFinding]:
    """Return each owner and address of each live runbook with what is to be said of it.

    A contact that nobody confirmed for ``review_days`` is stale.
    """
    return [
        OwnerFinding(runbook=entry.name, role=role, name=name, standing=standing, said=said)
        for entry in live(entries)
        for role, name, known in _named(entry, contacts)
        for standing, said in [_standing(name, known, review_days=review_days, today=today)]
    ]


def _named(entry: Entry, contacts: Contacts) -> Iterator[tuple[str, str, Mapping[str, Contact]]]:
    for name in contacts.owners_of(entry.owner):
        yield "owner", name, contacts.owners
    for address in entry.escalation or ("",):
        yield "escalation", address, contacts.reached


def _standing(
    name: str, known: Mapping[str, Contact], *, review_days: int, today: date
) -> tuple[OwnerStanding, str]:
    if not name:
        return OwnerStanding.MISSING, "Nobody is named."
    contact = known.get(name)
    if contact is None:
        return OwnerStanding.UNKNOWN, f"Not in {CONTACTS}. {near(name, known)}"
    if contact.until and contact.until < today:
        return OwnerStanding.STALE, f"Held until {contact.until}."
    if contact.reviewed is None:
        return OwnerStanding.STALE, f"Nobody ever confirmed it: write `reviewed` in {CONTACTS}."
    age = (today - contact.reviewed).days
    if age > review_days:
        return OwnerStanding.STALE, f"Last confirmed {age} days ago; {review_days} are allowed."
    return OwnerStanding.FINE, ""
