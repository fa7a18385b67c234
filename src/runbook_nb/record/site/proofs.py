"""What a record is worth when it comes into the archive: as sealed, altered, or not yet made."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from runbook_nb.errors import RunbookError
from runbook_nb.record.history import IncidentLine, IncidentStanding
from runbook_nb.record.proof import ProofResult, SignerTrust, verify_record
from runbook_nb.runbook.keys import own_fingerprint, trusted_keys
from runbook_nb.timeline.events import Verdict
from runbook_nb.timeline.folder import ENVELOPE, PAGE, RECORDED

_OPEN: Final = "No record yet: the incident is open."


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What stands against a record, who vouches for it, and whether its page may be shown.

    A page that is not as it was sealed could hold anything, also a script.
    """

    problems: tuple[str, ...] = ()
    vouched: str = ""
    is_shown: bool = False


def proof_of(folder: Path, line: IncidentLine) -> Proof:
    """Hold a record against its seal; never raises for what is on disk."""
    if line.standing is IncidentStanding.OPEN:
        return Proof(vouched=_OPEN)
    try:
        found = verify_record(folder)
    except (RunbookError, OSError) as error:
        return Proof(problems=(line.problem or str(error),))
    except Exception as error:  # noqa: BLE001 - whatever is in the file, the record is listed
        return Proof(problems=(line.problem or f"It cannot be verified: {type(error).__name__}.",))
    if not any((folder / name).exists() for name in RECORDED):
        made = f"It has no record. Make it: runbook archive {line.folder}"
        return Proof(problems=(line.problem or made,))
    hard = found.verdict in (Verdict.FAIL, Verdict.UNKNOWN)
    said = [str(problem) for problem in found.problems if hard]
    return Proof(
        problems=tuple(dict.fromkeys([line.problem, *said] if line.problem else said)),
        vouched=_vouched(found),
        is_shown=not any(problem.path in (PAGE, ENVELOPE) for problem in found.problems),
    )


def folder_stamp(folder: Path, line: IncidentLine) -> str:
    """Return a stamp that changes when any file of an incident does; open ones have none to hold.

    It covers what is known of the timeline too: a change of its line is a change of its row.
    """
    if line.standing is IncidentStanding.OPEN:
        return "open"
    facts = sha256()
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            found = (Path(place) / name).lstat()
            told = (place, name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            facts.update(repr(told).encode())
    return facts.hexdigest()


def keys_stamp(environ: Mapping[str, str] = os.environ) -> str:
    """Return a stamp of the keys known here: with another one, a seal says something else."""
    known = (own_fingerprint(environ), sorted(trusted_keys(environ).items()))
    return sha256(repr(known).encode()).hexdigest()


def _vouched(found: ProofResult) -> str:
    """Say who vouches for a record, and what changed since that does not count against it."""
    since = [f"{problem.path} {problem.change}." for problem in found.problems]
    match found.verdict, found.signer:
        case ((Verdict.FAIL | Verdict.UNKNOWN), _):
            return ""
        case _, signer if signer.standing is SignerTrust.OWN:
            said = "Sealed with the key of who made this archive."
        case _, signer if signer.is_known:
            said = f"Sealed by {signer.name}."
        case _, signer if signer.fingerprint:
            said = "Sealed by a key that was not known where this archive was made."
        case _:
            said = "Not signed."
    return " ".join([said, *since])
