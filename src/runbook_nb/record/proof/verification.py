"""Verify a record, wherever it lies: what differs from its seal, and who sealed it."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError, RecordIntegrityError
from runbook_nb.record.proof.comparison import Change, Problem, chain_problem, compare
from runbook_nb.record.proof.envelope import EnvelopeError, Reseal, Statement, read_envelope
from runbook_nb.runbook.keys import own_fingerprint, trusted_keys
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Verdict
from runbook_nb.timeline.folder import ENVELOPE, TIMELINE, IncidentFolder
from runbook_nb.timeline.log import Timeline

# Twelve of 64 digits: nobody finds another record with the same by trying.
_HEAD: Final = re.compile(r"[0-9a-f]{12,64}")
_SOFT: Final = {
    Change.UNREAD: Verdict.UNKNOWN,
    Change.RENAMED: Verdict.WARN,
    Change.TOLD_LATE: Verdict.WARN,
}


class SignerTrust(StrEnum):
    """How well the key that sealed a record is known here."""

    OWN = "own"
    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who sealed a record; ``name`` stands beside the fingerprint in the trusted keys."""

    standing: SignerTrust = SignerTrust.NONE
    fingerprint: str = ""
    name: str = ""

    @property
    def is_known(self) -> bool:
        """Whether somebody known here vouches for the record."""
        return self.standing in (SignerTrust.OWN, SignerTrust.TRUSTED)


class Witnessed(StrEnum):
    """What the head of a witness vouches for: nothing, the events, or every file."""

    NOTHING = "nothing"
    TIMELINE = "timeline"
    RECORD = "record"


@dataclass(frozen=True, kw_only=True)
class ProofResult:
    """What differs from the seal of a record, and who vouches for it.

    ``head`` is that of the timeline, ``digest`` that of everything sealed; both are empty where
    no seal can be read. ``reseals`` say when and why it was sealed anew, ``made_by`` what made it.
    """

    problems: tuple[Problem, ...]
    head: str = ""
    digest: str = ""
    signer: Signer = Signer()
    witnessed: Witnessed = Witnessed.NOTHING
    reseals: tuple[Reseal, ...] = ()
    made_by: str = ""

    @property
    def verdict(self) -> Verdict:
        """Fail if anything was altered, unknown if something cannot be read, else warn or pass.

        A pass needs somebody known here who vouches for the record.
        """
        verdicts = {_SOFT.get(problem.change, Verdict.FAIL) for problem in self.problems}
        verdicts.add(Verdict.PASS if self.signer.is_known else Verdict.WARN)
        ranked = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN)
        return next((verdict for verdict in ranked if verdict in verdicts), Verdict.PASS)


def verify_record(
    path: Path, *, head: str = "", environ: Mapping[str, str] = os.environ
) -> ProofResult:
    """Compare a record with its seal; ``path`` is its folder or a file in it.

    ``head`` is a hash that a witness holds, such as the channel of the closing message: of the
    timeline or of the whole record; its first twelve digits are enough. Raises ParameterError for
    anything else, and RecordIntegrityError where there is no record to judge.
    """
    head = head.lower()
    if head and not _HEAD.fullmatch(head):
        message = f"--head {head}: give 12 to 64 hexadecimal digits of a head."
        raise ParameterError(message)
    folder = _folder(path)
    places = IncidentFolder(folder)
    if not places.envelope.is_file():
        return ProofResult(problems=_unsealed(places))
    try:
        sealed = read_envelope(places.envelope)
    except (EnvelopeError, OSError) as error:
        return ProofResult(problems=_without_seal(folder, error))
    witnessed = _witnessed(sealed, head)
    return ProofResult(
        problems=(*compare(folder, sealed), *_witness(sealed, head, witnessed)),
        head=sealed.head,
        digest=sealed.digest,
        signer=_signer(sealed.fingerprint, environ),
        witnessed=witnessed,
        reseals=sealed.reseals,
        made_by=sealed.made_by,
    )


def _folder(path: Path) -> Path:
    """Return the folder of the record that a path is, or lies in."""
    if not path.exists():
        message = f"There is no {path}. Give the folder of a record, or a file in it."
        raise RecordIntegrityError(message)
    for folder in (path, *path.absolute().parents):
        places = IncidentFolder(folder)
        if places.is_incident or places.envelope.is_file():
            return folder
    message = f"{path} holds no record: neither {ENVELOPE} nor {TIMELINE} is there."
    raise RecordIntegrityError(message)


def _unsealed(folder: IncidentFolder) -> tuple[Problem, ...]:
    timeline, name = Timeline(folder.timeline), folder.path.absolute().name
    made = folder.page.exists() or folder.facts.exists()
    closed = queries.closed(timeline.proven()) is not None
    broken = chain_problem(timeline)
    if not made and not closed and not broken:
        message = (
            f"{folder.path} is still open and has no record yet. Close it: runbook close {name}"
        )
        raise RecordIntegrityError(message)
    said = f"the seal was never made, or was taken away; make it: runbook archive {name}"
    missing = Problem(change=Change.REMOVED, path=ENVELOPE, said=said)
    return (missing, broken) if broken else (missing,)


def _without_seal(folder: Path, error: Exception) -> tuple[Problem, ...]:
    """Say what the files tell by themselves where the envelope proves nothing."""
    change = Change.UNREAD if isinstance(error, OSError) else Change.ALTERED
    said = f"{getattr(error, 'strerror', None) or error}; the other files are not proven"
    broken = chain_problem(Timeline(IncidentFolder(folder).timeline))
    problem = Problem(change=change, path=ENVELOPE, said=said)
    return (problem, broken) if broken else (problem,)


def _witnessed(sealed: Statement, head: str) -> Witnessed:
    if head and sealed.digest.startswith(head):
        return Witnessed.RECORD
    return Witnessed.TIMELINE if head and sealed.head.startswith(head) else Witnessed.NOTHING


def _witness(sealed: Statement, head: str, witnessed: Witnessed) -> Iterator[Problem]:
    if head and witnessed is Witnessed.NOTHING:
        digits = len(head)
        said = (
            f"the witness holds {head}; the record is {sealed.digest[:digits]}, its timeline "
            f"{sealed.head[:digits]}: another record, another state of it, or made anew since"
        )
        yield Problem(change=Change.NOT_WITNESSED, path=ENVELOPE, said=said)


def _signer(found: str, environ: Mapping[str, str]) -> Signer:
    if not found:
        return Signer()
    if found == own_fingerprint(environ):
        return Signer(standing=SignerTrust.OWN, fingerprint=found, name="your own key")
    name = trusted_keys(environ).get(found, "")
    standing = SignerTrust.TRUSTED if name else SignerTrust.UNKNOWN
    return Signer(standing=standing, fingerprint=found, name=name)
