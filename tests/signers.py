"""People with keys, for the tests of approvals."""

from dataclasses import dataclass
from pathlib import Path

from runbook_nb.incident.approval import Approver
from runbook_nb.runbook.keys import Seal, signing_seal
from runbook_nb.runbook.people import People, Person


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A person with as many keys as were made for them."""

    name: str
    seals: tuple[Seal, ...]
    may: tuple[str, ...] = ("approve",)

    @property
    def seal(self) -> Seal:
        return self.seals[0]

    @property
    def approver(self) -> Approver:
        return Approver(name=self.name, seal=self.seal)

    @property
    def person(self) -> Person:
        keys = tuple(seal.fingerprint for seal in self.seals)
        return Person(name=self.name, keys=keys, may=self.may)

    @property
    def table(self) -> str:
        """Return what stands in a project's file."""
        person = self.person
        return f'[people."{self.name}"]\nkeys = {[*person.keys]}\nmay = {[*person.may]}\n'


def make_signer(folder: Path, name: str, *, keys: int = 1, **more: tuple[str, ...]) -> Signer:
    """Make a person with new keys, whose files stand in a folder of theirs."""
    homes = [folder / f"{name}-{number}" for number in range(keys)]
    seals = tuple(signing_seal({"XDG_CONFIG_HOME": str(home)}) for home in homes)
    return Signer(name=name, seals=seals, **more)


def key_file(folder: Path, name: str) -> Path:
    """Return the file of a person's first key."""
    return folder / f"{name}-0" / "runbook" / "signing_key.pem"


def people(*signers: Signer) -> People:
    """Return the people that a project's settings would name."""
    return People(persons=tuple(each.person for each in signers))
