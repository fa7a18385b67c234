"""Verify a record, wherever it lies: its files, its timeline, its facts, and who sealed it."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError, RecordIntegrityError
from runbook_nb.model import Verdict
from runbook_nb.proof.contents import ENVELOPE, FACTS, TIMELINE, contents_of
from runbook_nb.proof.envelope import EnvelopeError, Sealed, read_envelope
from runbook_nb.proof.keys import own_fingerprint, trusted_keys
from runbook_nb.record import Record, made_by
from runbook_nb.timeline import Timeline

HEAD_DIGITS: Final = 12  # of 64; nobody finds another record with the same by trying


class Standing(StrEnum):
    """How well the key that sealed a record is known here."""

    OWN = "own"
    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who sealed a record; ``name`` stands beside the fingerprint in the trusted keys."""

    standing: Standing = Standing.NONE
    fingerprint: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What does not match a record, the head of its timeline, and who sealed it."""

    problems: tuple[str, ...]
    head: str = ""
    signer: Signer = Signer()

    @property
    def verdict(self) -> Verdict:
        """Fail if anything was altered; warn if nobody known here vouches for it."""
        if self.problems:
            return Verdict.FAIL
        known = self.signer.standing in (Standing.OWN, Standing.TRUSTED)
        return Verdict.PASS if known else Verdict.WARN


def verify_record(
    path: Path, *, head: str = "", environ: Mapping[str, str] = os.environ
) -> Verification:
    """Compare a record with its seal; ``path`` is its folder or a file in it.

    ``head`` is the hash that a witness holds, such as the channel of the closing message; its
    first twelve digits are enough. Raises ParameterError for fewer, and RecordIntegrityError where
    there is no record to judge.
    """
    if head and len(head) < HEAD_DIGITS:
        message = f"--head {head}: give at least {HEAD_DIGITS} digits of the head."
        raise ParameterError(message)
    folder = path if path.is_dir() else path.parent
    if not (folder / ENVELOPE).is_file():
        return _unsealed(folder)
    try:
        sealed = read_envelope(folder / ENVELOPE)
    except (EnvelopeError, OSError) as error:
        said = getattr(error, "strerror", None) or error
        return Verification(problems=(f"altered: {ENVELOPE} ({said}); nothing else is proven.",))
    problems = [*_files(folder, sealed), *_timeline(folder, sealed), *_witness(sealed, head)]
    return Verification(
        problems=tuple(problems), head=sealed.head, signer=_signer(sealed.fingerprint, environ)
    )


def _unsealed(folder: Path) -> Verification:
    if not (folder / TIMELINE).is_file():
        message = f"{folder} holds no record: neither {ENVELOPE} nor {TIMELINE} is there."
        raise RecordIntegrityError(message)
    said = "the record was never made, or its seal was taken away. Make it: runbook close"
    return Verification(problems=(f"removed: {ENVELOPE} ({said})",))


def _files(folder: Path, sealed: Sealed) -> list[str]:
    found = {each.path: each.sha256 for each in contents_of(folder)}
    problems = [f"removed: {path}" for path in sealed.files if path not in found]
    problems += [f"added: {path}" for path in found if path not in sealed.files]
    problems += [
        f"altered: {path}"
        for path, sha256 in found.items()
        if sealed.files.get(path, sha256) != sha256
    ]
    return sorted(problems)


def _timeline(folder: Path, sealed: Sealed) -> Iterator[str]:
    timeline = Timeline(folder / TIMELINE)
    try:
        now = timeline.verify()
    except RecordIntegrityError as error:
        yield str(error)
        return
    except OSError as error:
        yield f"{TIMELINE} cannot be read: {error.strerror}."
        return
    if now != sealed.head:
        yield f"{TIMELINE}: its head hash is not the one that was sealed."
    elif not _facts_fit(folder / FACTS, timeline, sealed):
        yield f"altered: {FACTS} (its facts are not those of the timeline)"


def _facts_fit(path: Path, timeline: Timeline, sealed: Sealed) -> bool:
    # Another version of the program may fold the same events into other facts.
    if sealed.made_by != made_by():
        return True
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return True  # told as altered or removed already
    return not isinstance(told, dict) or told.get("record") == Record.of(timeline).to_json()


def _witness(sealed: Sealed, head: str) -> Iterator[str]:
    if head and not sealed.head.startswith(head.lower()):
        yield (
            f"The witness holds the head {head}, the record {sealed.head[: len(head)]}: "
            "this is another record, or an older state of it."
        )


def _signer(found: str, environ: Mapping[str, str]) -> Signer:
    if not found:
        return Signer()
    if found == own_fingerprint(environ):
        return Signer(standing=Standing.OWN, fingerprint=found, name="your own key")
    name = trusted_keys(environ).get(found, "")
    standing = Standing.TRUSTED if name else Standing.UNKNOWN
    return Signer(standing=standing, fingerprint=found, name=name)
