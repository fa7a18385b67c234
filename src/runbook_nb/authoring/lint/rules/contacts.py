"""Rules about who owns a runbook and who is called."""

import re
from collections.abc import Iterator
from typing import Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import near

_E_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[A-Za-z]{2,24}\b")
_CHANNEL = re.compile(r"(?<![\w(/&#`\[])#[a-z][a-z0-9-]{2,}\b")
_MADE_UP: Final = ("@example.com", "@example.org", "@example.net")


@rule(
    "owner",
    reason="A runbook that nobody owns is nobody's to mend.",
    fix="Name an owner of contacts.toml, or add the squad there.",
)
def owner(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Name as owner a squad of the contacts file."""
    line = page.front_line("owner")
    if shelf.contacts.problem:
        yield Flaw(line=line, message=shelf.contacts.problem, fix="Write the contacts file.")
        return
    known = shelf.contacts.owners
    for name in shelf.contacts.owners_of(page.said("owner")) if page.said("owner") else ():
        if name not in known:
            yield Flaw(line=line, message=f"No owner is called {name!r}. {near(name, known)}")


@rule(
    "escalation",
    reason="An address that reaches nobody is found out when it is needed.",
    fix="Name addresses of contacts.toml, or add the address there.",
)
def escalation(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Name whom to call when the runbook is not enough, at a known address."""
    named = page.strings("escalation")
    known = shelf.contacts.reached
    if not named:
        yield Flaw(line=page.front_line("escalation"), message="Nobody is named.")
    for address in named:
        if not shelf.contacts.problem and address not in known:
            message = f"{address!r} is not in the contacts file. {near(address, known)}"
            yield Flaw(line=page.front_line("escalation", address), message=message)


@rule(
    "contacts-text",
    reason="The page must name whom to call when nothing else can be opened.",
    fix="List each address of `escalation` under Contacts, and only addresses of contacts.toml.",
)
def contacts_text(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """List every escalation address under Contacts, and no unknown one anywhere."""
    line, lines = page.section("Contacts")
    listed = "\n".join(lines)
    for address in page.strings("escalation"):
        if address not in listed:
            yield Flaw(line=line, message=f"Contacts does not list {address}.")
    known = shelf.contacts.reached
    for number, text in page.body():
        for address in (*_E_MAIL.findall(text), *_channels(text)):
            if address not in known and not address.endswith(_MADE_UP):
                message = f"{address} is not in the contacts file. {near(address, known)}"
                yield Flaw(line=number, message=message)


@rule(
    "step-owner",
    reason="A manual step without a taker stays undone.",
    fix="Name an owner or a role of contacts.toml, or add it there.",
)
def step_owner(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Give every manual step to a known squad or role."""
    known = {*shelf.contacts.owners, *shelf.contacts.roles, *shelf.contacts.addresses}
    for placed in page.of("ask"):
        name = placed.words("owner")
        if not name.strip():
            yield Flaw(line=placed.line, message="This manual step has no owner.")
        elif not shelf.contacts.problem and name not in known:
            message = f"No owner or role is called {name!r}. {near(name, known)}"
            yield Flaw(line=placed.line_of("owner"), message=message)


def _channels(text: str) -> list[str]:
    """Return the channels named in a line; a colour or a part of an address is none."""
    return [] if text.startswith("#") else _CHANNEL.findall(text)
