"""Who owns each runbook and who is called, held against ``contacts.toml``."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ParameterError, near
from runbook_nb.runbook.catalog.entry import Entry, live
from runbook_nb.runbook.catalog.freshness import REVIEW_DAYS

CONTACTS: Final = "contacts.toml"
# Several owners in one line, and a role in brackets: "Operations (Incident Commander) + Security".
_BETWEEN: Final = re.compile(r"\s*(?:\+|/|,|;| and )\s*")
_ROLE: Final = re.compile(r"\s*\([^)]*\)")


class Standing(StrEnum):
    """What is to be said of an owner or an address."""

    FINE = "fine"
    STALE = "stale"
    UNKNOWN = "unknown"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """An owner or an address: when somebody last confirmed it, and when it ends."""

    name: str
    reviewed: date | None = None
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """The contacts file: owners, and addresses and channels for escalation, by name."""

    owners: Mapping[str, Contact]
    addresses: Mapping[str, Contact]
    reviewed: date | None = None


@dataclass(frozen=True, kw_only=True)
class OwnerFinding:
    """One owner or address of one runbook, and what is to be said of it."""

    runbook: str
    role: str
    name: str
    standing: Standing
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


def read_contacts(folder: Path) -> Contacts:
    """Read the contacts file beside the runbooks; raises ParameterError if it cannot be read.

    A row, or the whole file, may say when it was last ``reviewed``, and a row ``until`` when it
    holds; both are dates.
    """
    path = folder / CONTACTS
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
        reviewed = _day(read.get("reviewed"))
        owners = _rows(read.get("owner", []), "name", reviewed)
        addresses = _rows(read.get("address", []), "to", reviewed)
        channels = _rows(read.get("channel", []), "name", reviewed)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"{path} cannot be read as contacts: {error!r}."
        raise ParameterError(message) from error
    return Contacts(owners=owners, addresses={**addresses, **channels}, reviewed=reviewed)


def review_owners(
    entries: Sequence[Entry], contacts: Contacts, *, today: date
) -> list[OwnerFinding]:
    """Return each owner and address of each live runbook with what is to be said of it."""
    return [
        OwnerFinding(runbook=entry.name, role=role, name=name, standing=standing, said=said)
        for entry in live(entries)
        for role, name, known in _named(entry, contacts)
        for standing, said in [_standing(name, known, today=today)]
    ]


def _named(entry: Entry, contacts: Contacts) -> Iterator[tuple[str, str, Mapping[str, Contact]]]:
    owner = entry.owner.strip()
    whole = not owner or owner in contacts.owners
    names = [owner] if whole else _BETWEEN.split(_ROLE.sub("", owner))
    for name in names:
        yield "owner", name, contacts.owners
    for address in entry.escalation or ("",):
        yield "escalation", address, contacts.addresses


def _standing(name: str, known: Mapping[str, Contact], *, today: date) -> tuple[Standing, str]:
    if not name:
        return Standing.MISSING, "Nobody is named."
    contact = known.get(name)
    if contact is None:
        return Standing.UNKNOWN, f"Not in {CONTACTS}. {near(name, known)}"
    if contact.until and contact.until < today:
        return Standing.STALE, f"Held until {contact.until}."
    if contact.reviewed is None:
        return Standing.STALE, f"Nobody ever confirmed it: write `reviewed` in {CONTACTS}."
    age = (today - contact.reviewed).days
    if age > REVIEW_DAYS:
        return Standing.STALE, f"Last confirmed {age} days ago; {REVIEW_DAYS} are allowed."
    return Standing.FINE, ""


def _rows(rows: list[dict[str, Any]], name: str, reviewed: date | None) -> dict[str, Contact]:
    return {
        str(said): Contact(
            name=str(said),
            reviewed=_day(row.get("reviewed")) or reviewed,
            until=_day(row.get("until")),
        )
        for row in rows
        for said in (row[name], *row.get("also", ()))
    }


def _day(value: object) -> date | None:
    """Read a date of TOML, or one in quotes; a time of day behind it is left out."""
    return None if value is None else date.fromisoformat(str(value)[:10])
