"""A check that is drafted: the call of a probe and a limit, each with what its author must say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook_nb.authoring.lint.call_registry import CallRegistry
from runbook_nb.probes.calls import ProbeFactory
from runbook_nb.runbook.blanks import FILL_IN

HIGHEST: Final = f"{FILL_IN} the highest value that is healthy"
OPTION: Final = f"{FILL_IN} the option that helps, word for word"
_LONGEST_TITLE: Final = 60


@dataclass(frozen=True)
class Name:
    """A parameter of the runbook that stands in a call."""

    name: str


@dataclass(frozen=True, kw_only=True)
class CheckDraft:
    """A probe's call and the limit for it, as source; ``limit`` is the name of the limit's verb.

    ``system`` is the probe's module, which the opening cell imports from a pack.
    """

    title: str
    system: str
    call: str
    limit: str
    expect: str

    def lines(self, title: str) -> list[str]:
        """Return the lines of its cell under a title that nothing else has."""
        return [
            "incident.check(",
            f"    {quoted(title)},",
            f"    {self.call},",
            f"    expect={self.expect},",
            f"    if_failed={quoted(OPTION)},",
            ")",
        ]


class Offers:
    """The probes that the packs in use offer, by system and name; loaded when first asked for."""

    def __init__(self, registry: CallRegistry | None = None) -> None:
        self._registry = registry or CallRegistry()
        self._known: dict[tuple[str, str], str] = {}

    def package(self, system: str, probe: str) -> str:
        """Return the package that offers a probe; empty where none does."""
        if (system, probe) not in self._known:
            self._known[system, probe] = self._find(system, probe)
        return self._known[system, probe]

    def _find(self, system: str, probe: str) -> str:
        for package in self._registry.packages:
            if system not in self._registry.systems(package):
                continue
            if isinstance(self._registry.factory(package, system, probe), ProbeFactory):
                return package
        return ""


def drafted(
    title: str,
    system: str,
    probe: str,
    *arguments: object,
    expect: tuple[str, Sequence[object]],
    named: Mapping[str, object] | None = None,
) -> CheckDraft:
    """Return a check of a probe with these arguments and this limit."""
    given = [written(each) for each in arguments]
    given += [f"{name}={written(value)}" for name, value in (named or {}).items()]
    limit, bounds = expect
    return CheckDraft(
        title=short(title),
        system=system,
        call=f"{system}.{probe}({', '.join(given)})",
        limit=limit,
        expect=f"{limit}({', '.join(map(written, bounds))})",
    )


def offered(
    offers: Offers,
    title: str,
    system: str,
    probe: str,
    *arguments: object,
    expect: tuple[str, Sequence[object]],
    named: Mapping[str, object] | None = None,
) -> CheckDraft | None:
    """Return the check where a pack in use offers the probe."""
    if not offers.package(system, probe):
        return None
    return drafted(title, system, probe, *arguments, expect=expect, named=named)


def written(value: object) -> str:
    """Return a value as source: text in double quotes, tuples and dicts of such, names bare."""
    if isinstance(value, Name):
        return value.name
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, tuple):
        inside = ", ".join(map(written, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else repr(value)


def quoted(text: str) -> str:
    """Return text as a literal of Python in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def short(words: str) -> str:
    """Return words as a title of one line."""
    said = " ".join(words.replace("`", "").split())
    return said if len(said) <= _LONGEST_TITLE else f"{said[: _LONGEST_TITLE - 1].rstrip()}…"
