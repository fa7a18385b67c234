"""Who owns runbooks, who is called, and what may be named in the text: ``contacts.toml``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError
from runbook_nb.text.toml_table import TomlTable

CONTACTS: Final = "contacts.toml"
_MOST: Final = 10_000
# Several owners in one line, and a role in brackets: "Operations (Incident Commander) + Security".
_BETWEEN: Final = re.compile(r"\s*(?:\+|/|,|;| and )\s*")
_ROLE: Final = re.compile(r"\s*\([^)]*\)")


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A person or a place: when somebody last confirmed it, and when it ends."""

    name: str
    reviewed: date | None = None
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """The people and places of the organisation, by name; ``problem`` says why there are none.

    ``owners`` own runbooks and manual steps, ``roles`` only steps. ``addresses`` are called when a
    runbook is not enough. ``channels`` and ``sites`` may be named in the text.
    """

    owners: Mapping[str, Contact] = field(default_factory=dict)
    roles: Mapping[str, Contact] = field(default_factory=dict)
    addresses: Mapping[str, Contact] = field(default_factory=dict)
    channels: Mapping[str, Contact] = field(default_factory=dict)
    sites: Mapping[str, Contact] = field(default_factory=dict)
    problem: str = ""

    @property
    def reached(self) -> Mapping[str, Contact]:
        """What an escalation may name: addresses and channels."""
        return {**self.addresses, **self.channels}

    def owners_of(self, said: str) -> list[str]:
        """Return the owners that one line names; a name that is known as a whole is one."""
        said = said.strip()
        whole = not said or said in self.owners
        return [said] if whole else _BETWEEN.split(_ROLE.sub("", said))


def read_contacts(folder: Path) -> Contacts:
    """Read the contacts beside the runbooks; raises ParameterError without a file that fits.

    A row, or the whole file, may say when it was last ``reviewed``, and a row ``until`` when it
    holds; both are dates.
    """
    try:
        top = TomlTable.read(folder / CONTACTS)
    except FileNotFoundError as error:
        message = f"There is no {CONTACTS} beside the runbooks in {folder}; write one."
        raise ParameterError(message) from error
    return Contacts(
        owners=_rows(top, "owner", "name"),
        roles=_rows(top, "role", "name"),
        addresses=_rows(top, "address", "to"),
        channels=_rows(top, "channel", "name"),
        sites=_rows(top, "site", "host"),
    )


def contacts_or_problem(folder: Path) -> Contacts:
    """Read the contacts, or none with the reason, which a rule reports."""
    try:
        return read_contacts(folder)
    except ParameterError as error:
        return Contacts(problem=str(error))


def _rows(top: TomlTable, key: str, name: str) -> dict[str, Contact]:
    whole = top.day("reviewed")
    return {
        said: Contact(name=said, reviewed=row.day("reviewed") or whole, until=row.day("until"))
        for row in top.tables(key, most=_MOST)
        for said in (row.text(name), *row.texts("also"))
    }
