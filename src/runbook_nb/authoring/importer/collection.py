"""Many sources at once: files and folders, read side by side, each a draft or refused by name."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Final

from runbook_nb.authoring.importer.checks import Offers
from runbook_nb.authoring.importer.drafts import Imported, draft, write_drafts
from runbook_nb.authoring.importer.readers import MARKDOWN, READERS
from runbook_nb.authoring.importer.source import read_source
from runbook_nb.authoring.scaffold.names import snake_case
from runbook_nb.errors import RunbookError, RunbookNotFoundError
from runbook_nb.runbook.catalog.alert_rules import AlertRule

# A text file in a folder may be anything; it is read where it is named itself.
_IN_FOLDERS: Final = (MARKDOWN | {*READERS}) - {".txt", ""}
# A pool takes longer to start than a few drafts to write.
_FEW: Final = 8


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A source that became no draft, and why, in one sentence."""

    path: Path
    why: str


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What became of many sources, in the order of their names."""

    imported: tuple[Imported, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What is the same for each source."""

    to: Path
    runbooks: Path
    now: datetime
    rules: tuple[AlertRule, ...]


def sources_of(paths: Iterable[Path]) -> list[Path]:
    """Return the files that are named, and those below the folders that are; no hidden ones.

    Raises RunbookNotFoundError for a folder that holds none.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(_below(path)) if path.is_dir() else [path]
        if not inside:
            kinds = ", ".join(sorted(_IN_FOLDERS))
            message = f"{path} holds no file to import: {kinds}."
            raise RunbookNotFoundError(message)
        found |= dict.fromkeys(inside)
    return list(found)


def import_all(
    paths: Sequence[Path],
    *,
    to: Path,
    runbooks: Path,
    now: datetime,
    rules: Sequence[AlertRule] = (),
) -> Collection:
    """Write a draft of each file, named for it; one that cannot be read stops no other."""
    order = _Order(to=to, runbooks=runbooks, now=now, rules=tuple(rules))
    named = list(zip(paths, _names(paths), strict=True))
    work = partial(_import, order=order)
    if len(paths) < _FEW:
        found = [work(each) for each in named]
    else:
        with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
            found = list(pool.map(work, named, chunksize=4))
    return Collection(
        imported=tuple(one for one in found if isinstance(one, Imported)),
        refused=tuple(one for one in found if isinstance(one, Refused)),
    )


def _import(named: tuple[Path, str], *, order: _Order) -> Imported | Refused:
    path, name = named
    try:
        drafted = draft(
            read_source(path),
            runbooks=order.runbooks,
            now=order.now,
            name=name,
            rules=order.rules,
            offers=_offers(),
        )
        (written,) = write_drafts([drafted], to=order.to, runbooks=order.runbooks, now=order.now)
    except RunbookError as error:
        return Refused(path=path, why=str(error))
    return written


@cache
def _offers() -> Offers:
    """Return what the packs in use offer, looked up once in each process."""
    return Offers()


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.suffix.lower() in _IN_FOLDERS and path.is_file():
            yield path


def _names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file; of several alike, and of a README, the folder is a part."""
    counted = Counter(snake_case(path.stem) for path in paths)
    seen: Counter[str] = Counter()
    names = []
    for path in paths:
        own, folder = snake_case(path.stem), path.resolve().parent.name
        name = own if own and counted[own] == 1 else snake_case(f"{folder} {own}")
        seen[name] += 1
        names.append(name if seen[name] == 1 or not name else f"{name[:50]}_{seen[name]}")
    return names
