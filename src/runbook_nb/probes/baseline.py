"""Baselines: what a team has accepted as right of the platform in one environment.

A pack says what may belong to one: parts, each with named items that are read of a platform. A team
takes them from a healthy platform, has them reviewed, and keeps them beside its notebooks, in
``notebooks/baselines/ENVIRONMENT/PART.json``. Where a team has none, what the pack brings counts.

A difference that a team lives with is accepted with a reason and an end: until that day the item
should be what was found then, and after it what it was before.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runbook_nb.errors import BaselineError
from runbook_nb.project import Project
from runbook_nb.text.files import write_atomically
from runbook_nb.text.values import Json

if TYPE_CHECKING:
    from runbook_nb.probes.calls import Systems

FOLDER: Final = "baselines"
# A word that is not known is a typing error, and would silently not count.
_STRICT: Final = {"extra": "forbid"}

Items = Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An item that is not as committed; None where it is not there, or nobody committed it."""

    item: str
    committed: Json
    found: Json

    @property
    def kind(self) -> str:
        """Say how it differs: ``missing``, ``not committed`` or ``changed``."""
        if self.found is None:
            return "missing"
        return "not committed" if self.committed is None else "changed"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a pack can read of a platform, and compare by its meaning.

    ``take`` reads all items as they are; ``differing`` compares a platform with what is committed;
    ``brought`` is what counts as that where a team has no baseline of its own.
    """

    name: str
    about: str
    take: Callable[["Systems"], Items]
    differing: Callable[["Systems", Items], Sequence[Difference]]
    brought: Items = field(repr=False)

    def committed(self, systems: "Systems") -> Items:
        """Return what should be: the team's own baseline, or what the pack brings."""
        own = systems.baseline(self.name)
        return self.brought if own is None else own


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A difference that a team lives with until the end of a day; ``found`` is None if absent."""

    __pydantic_config__ = _STRICT

    found: Json
    because: str
    by: str
    until: date


@dataclass(frozen=True, kw_only=True)
class Change:
    """An item that was taken as right later than the rest, and why."""

    __pydantic_config__ = _STRICT

    item: str
    because: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One part of one environment's baseline, as its file holds it."""

    __pydantic_config__ = _STRICT

    part: str
    environment: str
    at: datetime
    by: str
    items: dict[str, Json]
    changes: list[Change] = field(default_factory=list)
    accepted: dict[str, Accepted] = field(default_factory=dict)

    def committed(self, today: date) -> dict[str, Json]:
        """Return what should be on a day: what is accepted until then stands in for the item."""
        found = {name: each.found for name, each in self.accepted.items() if each.until >= today}
        return {name: value for name, value in {**self.items, **found}.items() if value is not None}

    def ended(self, today: date) -> dict[str, Accepted]:
        """Return what was accepted until a day that is over."""
        return {name: each for name, each in self.accepted.items() if each.until < today}


def baseline_file(project: Project, *, environment: str, part: str) -> Path:
    """Return where one part of an environment's baseline is kept; raises BaselineError."""
    if Path(environment).name != environment:
        message = (
            f"A baseline is kept in a folder of its environment's name, and {environment!r} is no "
            "name of a folder. Give the environment a plain name."
        )
        raise BaselineError(message)
    return project.notebooks / FOLDER / environment / f"{part}.json"


def read_baseline(file: Path, *, environment: str, part: str) -> Baseline | None:
    """Return a baseline; None where there is none. Raises BaselineError where it cannot be used."""
    # Only who has a baseline pays for what reads it.
    from pydantic import TypeAdapter, ValidationError

    try:
        found = TypeAdapter(Baseline).validate_json(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"The baseline {file} cannot be read: {error.strerror or error}."
        raise BaselineError(message) from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"])) or "the whole"
        message = (
            f"The baseline {file} is not one: {at}: {first['msg']}. Take its last good version "
            "from version control, or take it anew: runbook baseline take --anew"
        )
        raise BaselineError(message) from error
    if (found.part, found.environment) != (part, environment):
        message = (
            f"The baseline {file} says that it is of {found.part!r} in {found.environment!r}, and "
            f"stands where that of {part!r} in {environment!r} belongs. Take one there: runbook "
            "baseline take --anew"
        )
        raise BaselineError(message)
    return found


def write_baseline(file: Path, baseline: Baseline) -> None:
    """Write a baseline, an item a line and in order, so that a review sees what changed."""
    content = asdict(baseline)
    for name in ("items", "accepted"):
        content[name] = dict(sorted(content[name].items()))
    text = json.dumps(content, indent=2, ensure_ascii=False, default=lambda day: day.isoformat())
    write_atomically(file, f"{text}\n")
