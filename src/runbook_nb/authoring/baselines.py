"""A team's baseline: taken of a healthy platform, compared with it, and changed by a word.

Nothing here changes a platform. Files are written beside the notebooks, for a review.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import BaselineError, near
from runbook_nb.probes.baseline import (
    Accepted,
    Baseline,
    Change,
    Difference,
    Items,
    Part,
    baseline_file,
    read_baseline,
    write_baseline,
)
from runbook_nb.probes.environment import Environment
from runbook_nb.project import Project
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.packs import packs_in_use
from runbook_nb.text.formatting import counted, difference
from runbook_nb.text.values import Json

# Every policy is asked for every caller, which takes a while on a busy platform.
TIMEOUT_S: Final = 60


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One part that was taken: how much, what was left out, and how the pack's word differs."""

    part: str
    file: Path
    items: int
    left_out: Sequence[str]
    unlike_the_packs: Sequence[Difference]

    def facts(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "part": self.part,
            "file": str(self.file),
            "items": self.items,
            "left_out": [*self.left_out],
            "unlike_the_packs": [_difference(each) for each in self.unlike_the_packs],
        }


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One part as it stands against what is committed; ``own`` where that is the team's own."""

    part: str
    own: bool
    differences: Sequence[Difference]
    accepted: Mapping[str, Accepted]
    ended: Mapping[str, Accepted]

    def facts(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "part": self.part,
            "of": "baseline" if self.own else "pack",
            "differences": [_difference(each) for each in self.differences],
            "accepted": _as_json(self.accepted),
            "ended": _as_json(self.ended),
        }


def parts_in_use(names: Iterable[str] = ()) -> list[Part]:
    """Return the parts of the packs here, those named or all; raises BaselineError for others."""
    parts = {part.name: part for pack in packs_in_use() for part in pack.baseline()}
    if not parts:
        message = "No pack here has parts of a baseline. Give a pack `baseline`, a list of parts."
        raise BaselineError(message)
    for name in names:
        if name not in parts:
            message = f"No part of a baseline is named {name!r}. {near(name, parts)}"
            raise BaselineError(message)
    return [parts[name] for name in names or parts]


def take(
    project: Project, parts: Sequence[Part], *, of: Environment, by: str, at: datetime, anew: bool
) -> list[Taken]:
    """Read these parts of a platform and write them, all or none.

    An item that holds a secret is left out and named. Raises BaselineError where one was taken
    before and it is not to be taken ``anew``.
    """
    files = {
        part.name: baseline_file(project, environment=of.name, part=part.name) for part in parts
    }
    if not anew and (there := [str(file) for file in files.values() if file.exists()]):
        message = (
            f"Already taken: {', '.join(there)}. See what differs now with `runbook baseline diff` "
            "and accept it, or give --anew, and have the whole file reviewed."
        )
        raise BaselineError(message)
    redactor, found = of.redactor(), []
    for part in parts:
        items, unlike = _read(part, of)
        kept = {name: value for name, value in items.items() if _is_plain(redactor, name, value)}
        found.append((part, kept, sorted(items.keys() - kept.keys()), unlike))
    results = []
    for part, kept, left_out, unlike in found:
        file = files[part.name]
        write_baseline(
            file, Baseline(part=part.name, environment=of.name, at=at, by=by, items=kept)
        )
        results.append(
            Taken(
                part=part.name,
                file=file,
                items=len(kept),
                left_out=left_out,
                unlike_the_packs=unlike,
            )
        )
    return results


def compare(
    project: Project | None, parts: Sequence[Part], *, of: Environment, today: date
) -> list[Compared]:
    """Compare these parts of a platform with what is committed."""
    return [_compared(project, part, of=of, today=today) for part in parts]


def accept(
    project: Project,
    part: Part,
    items: Sequence[str],
    *,
    of: Environment,
    because: str,
    by: str,
    at: datetime,
    until: date | None,
) -> Path:
    """Accept differences as they are found: until the end of a day, or as right from now on.

    Raises BaselineError, and writes nothing, for an item that does not differ.
    """
    file = baseline_file(project, environment=of.name, part=part.name)
    baseline = read_baseline(file, environment=of.name, part=part.name)
    if baseline is None:
        message = (
            f"There is no baseline of {part.name} in {of.name} yet to accept anything into. Take "
            f"one of a healthy platform: runbook baseline take {part.name} -e {of.name}"
        )
        raise BaselineError(message)
    if until is not None and until < at.date():
        message = f"{until} is over. Give the last day on which this may be so."
        raise BaselineError(message)
    differing = {each.item: each for each in _differing(part, of)}
    for item in items:
        if item not in differing:
            message = f"{item!r} does not differ, so nothing is accepted. {near(item, differing)}"
            raise BaselineError(message)
        if not _is_plain(of.redactor(), item, differing[item].found):
            message = f"{item!r} holds what looks like a secret, so it is not written to a file."
            raise BaselineError(message)
    accepted, right, changes = {**baseline.accepted}, {**baseline.items}, [*baseline.changes]
    for item in items:
        found = differing[item].found
        if until is not None:
            accepted[item] = Accepted(found=found, because=because, by=by, until=until)
            continue
        accepted.pop(item, None)
        changes.append(Change(item=item, because=because, by=by, at=at))
        right[item] = found
        if found is None:
            del right[item]
    write_baseline(
        file,
        replace(baseline, accepted=accepted, items=right, changes=changes),
    )
    return file


def taken_lines(taken: Taken) -> list[str]:
    """Say what was taken, for a person."""
    lines = [f"{taken.part}: {taken.items} items, written to {taken.file}"]
    lines += [f"  left out, it holds what looks like a secret: {name}" for name in taken.left_out]
    unlike = taken.unlike_the_packs
    lines += [
        f"  look at it, the pack says otherwise: {each.item} ({each.kind})" for each in unlike
    ]
    return lines


def compared_lines(compared: Compared) -> list[str]:
    """Say how a part stands, for a person."""
    whose = "your baseline" if compared.own else "what the pack brings"
    count = counted(len(compared.differences), "difference") if compared.differences else "as in"
    lines = [f"{compared.part}: {count} {'from ' if compared.differences else ''}{whose}"]
    for each in compared.differences:
        lines.append(f"  {each.item}: {each.kind}")
        if each.kind == "changed":
            changed = difference(_text(each.committed), _text(each.found))
            lines += [f"    {line}" for line in changed.splitlines()]
        if over := compared.ended.get(each.item):
            lines.append(f"    was accepted until {over.until}, by {over.by}: {over.because}")
    lines += [
        f"  accepted until {each.until}: {name}, by {each.by}: {each.because}"
        for name, each in compared.accepted.items()
    ]
    return lines


def _compared(project: Project | None, part: Part, *, of: Environment, today: date) -> Compared:
    own = None
    if project is not None:
        file = baseline_file(project, environment=of.name, part=part.name)
        own = read_baseline(file, environment=of.name, part=part.name)
    ended = own.ended(today) if own else {}
    accepted = own.accepted if own else {}
    return Compared(
        part=part.name,
        own=own is not None,
        differences=_differing(part, of),
        accepted={name: each for name, each in accepted.items() if name not in ended},
        ended=ended,
    )


def _differing(part: Part, of: Environment) -> Sequence[Difference]:
    reading = of.reading([], timeout_s=TIMEOUT_S)
    try:
        return part.differing(reading, part.committed(reading))
    finally:
        reading.close()


def _read(part: Part, of: Environment) -> tuple[Items, Sequence[Difference]]:
    reading = of.reading([], timeout_s=TIMEOUT_S)
    try:
        return part.take(reading), part.differing(reading, part.brought)
    finally:
        reading.close()


def _is_plain(redactor: Redactor, name: str, value: Json) -> bool:
    text = _text({name: value})
    return redactor.mask(text) == text


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=1, ensure_ascii=False)


def _as_json(accepted: Mapping[str, Accepted]) -> dict[str, Any]:
    return {name: {**asdict(each), "until": f"{each.until}"} for name, each in accepted.items()}


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "item": each.item,
        "kind": each.kind,
        "committed": each.committed,
        "found": each.found,
    }
