"""What a site was built from, so that the next build touches only what changed."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import IncidentStateError
from runbook_nb.record import proof, site
from runbook_nb.record.site.proofs import Proof
from runbook_nb.text.files import code_digest, write_atomically

FILE: Final = ".archive.json"
_LOCK: Final = ".archive.lock"


@dataclass(frozen=True, kw_only=True)
class RecordStamp:
    """What is known of one record from the build before: stamps of its folder and of its copy."""

    stamp: str
    copied: str
    proof: Proof


@dataclass(frozen=True, kw_only=True)
class SiteBuild:
    """A build: the keys that were known, and its records by folder."""

    keys: str = ""
    records: dict[str, RecordStamp] = field(default_factory=dict)


@contextmanager
def held(site: Path) -> Iterator[None]:
    """Hold a site while it is built; a second build waits, and then finds little left to do.

    Raises IncidentStateError for a folder that holds something else, before anything is written.
    """
    if not (site / FILE).is_file() and _holds_others(site):
        message = f"{site} holds something that is no archive. Choose an empty one with --to."
        raise IncidentStateError(message)
    site.mkdir(parents=True, exist_ok=True)
    with (site / _LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (site / FILE).is_file():
            # From here on the folder is ours, also if this build is cut off.
            write_state(site, SiteBuild())
        yield


def read_state(site: Path) -> SiteBuild:
    """Return the state of the last build; an empty one where nothing of it can be used."""
    try:
        told = json.loads((site / FILE).read_bytes())
        if told["made_by"] != _made_by():
            # Other code may prove and copy otherwise.
            return SiteBuild()
        records = {name: _kept(kept) for name, kept in told["records"].items()}
        return SiteBuild(keys=told["keys"], records=records)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return SiteBuild()


def write_state(site: Path, state: SiteBuild) -> None:
    """Keep the state of a build; written last, so that a build cut off is done again."""
    told = {"made_by": _made_by(), **asdict(state)}
    write_atomically(site / FILE, json.dumps(told, separators=(",", ":")) + "\n")


def _holds_others(site: Path) -> bool:
    if not site.exists():
        return False
    return not site.is_dir() or any(not path.name.startswith(".") for path in site.iterdir())


def _kept(told: dict[str, Any]) -> RecordStamp:
    proof = {**told["proof"], "problems": tuple(told["proof"]["problems"])}
    return RecordStamp(stamp=told["stamp"], copied=told["copied"], proof=Proof(**proof))


@cache
def _made_by() -> str:
    return code_digest(site, proof)
