"""People and their keys: who may approve, as a project's settings say.

They stand in its file, which is reviewed as code is. No variable can add or change them: a name
follows from a key, and from nothing else.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from runbook_nb.project import Project
from runbook_nb.runbook.passkeys import PASSKEY, Passkey
from runbook_nb.text.toml_table import TomlTable

APPROVE: Final = "approve"
# What a key is known by begins with its kind; an Ed25519 key is known by its fingerprint alone.
_KEY: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@dataclass(frozen=True, kw_only=True)
class Person:
    """One person: a name, the fingerprints of their keys, and what they may do.

    ``passkeys`` are those of the keys that a device keeps.
    """

    name: str
    keys: tuple[str, ...]
    may: tuple[str, ...] = ()
    passkeys: tuple[Passkey, ...] = ()

    @property
    def may_approve(self) -> bool:
        """Whether a yes of this person counts."""
        return APPROVE in self.may


@dataclass(frozen=True, kw_only=True)
class People:
    """All people of a project; each key is one person's, and no two names are one person's."""

    persons: tuple[Person, ...] = ()

    def owner(self, key: str) -> Person | None:
        """Return whose key this is, by its fingerprint; None for a key that nobody has here."""
        return next((person for person in self.persons if key in person.keys), None)


def read_people(project: Project | None = None) -> People:
    """Return the people of a project, the one here by default; nobody where there is none.

    Raises ParameterError with file and key for a table that is wrong.
    """
    found = project or Project.find()
    if found is None:
        return People()
    table = TomlTable(file=found.file, place="people", values=found.people)
    return People(persons=tuple(_persons(table)))


def tidy_name(name: str) -> str:
    """Return a name as it is shown: one blank between its words, and nothing that is not seen."""
    seen = (" " if letter.isspace() else letter for letter in unicodedata.normalize("NFKC", name))
    return " ".join("".join(filter(_is_shown, seen)).split())


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are one person's, however they are typed."""
    return tidy_name(one).casefold() == tidy_name(other).casefold()


def _is_shown(letter: str) -> bool:
    return unicodedata.category(letter) not in ("Cc", "Cf")


def _persons(table: TomlTable) -> Iterator[Person]:
    known: list[Person] = []
    for name in table.values:
        person = _person(name, table)
        for other in known:
            if same_person(name, other.name):
                table.refuse(name, f"{other.name!r} is the same name; put all keys under one")
            if shared := {*person.keys} & {*other.keys}:
                table.refuse(name, f"the key {min(shared)} is {other.name!r}'s; one of them has it")
        known.append(person)
        yield person


def _person(name: str, people: TomlTable) -> Person:
    if not name or tidy_name(name) != name:
        people.refuse(name, f"write the name as {tidy_name(name)!r}, so that it can be compared")
    table = people.table(name)
    table.only(("keys", "may"))
    keys, may = table.texts("keys"), table.texts("may")
    passkeys = tuple(_passkey(key, table) for key in keys if key.startswith(PASSKEY))
    plain = tuple(key for key in keys if not key.startswith(PASSKEY))
    for key in plain:
        if not _KEY.fullmatch(key):
            table.refuse("keys", f"{key!r} is no fingerprint; `runbook key` shows one: SHA256:…")
    for right in may:
        if right != APPROVE:
            table.refuse("may", f"it is {right!r}; the only right is {APPROVE!r}")
    known = (*plain, *(passkey.fingerprint for passkey in passkeys))
    return Person(name=name, keys=known, may=may, passkeys=passkeys)


def _passkey(text: str, table: TomlTable) -> Passkey:
    try:
        return Passkey.read(text)
    except ValueError as error:
        return table.refuse("keys", str(error).rstrip("."))
