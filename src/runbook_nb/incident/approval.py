"""Approvals: who says yes to which option, for which text and parameters, until when."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import rfc8785

from runbook_nb.errors import ApprovalError
from runbook_nb.text.durations import words
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Approved

LIFETIME: Final = timedelta(minutes=30)  # the escalation time of a SEV1; after it, ask again
CLOCKS_DIFFER: Final = timedelta(minutes=5)  # of two machines, at most
INCIDENT_PARAMETER: Final = "incident_id"


def parameters_digest(parameters: Mapping[str, Json], *, environment: str) -> str:
    """Return the digest by which an approval names the parameters of a run, and where it runs.

    ``parameters`` are all values of the run in their types, defaults too; an incident's id among
    them counts for nothing, since the approval stands on that incident's timeline. SHA-256 over
    the canonical JSON (RFC 8785), as hexadecimal.
    """
    named = {name: value for name, value in parameters.items() if name != INCIDENT_PARAMETER}
    return hashlib.sha256(rfc8785.dumps({**named, "environment": environment})).hexdigest()


def approval(
    *,
    option: str,
    text: str,
    parameters: str,
    by: str,
    requested_by: str,
    calls: Mapping[str, str] | None = None,
) -> Approved:
    """Return a yes to an option from now on; ``text`` and ``parameters`` are digests."""
    now = datetime.now(UTC)
    return Approved(
        at=now,
        by=by,
        option=option,
        text=text,
        parameters=parameters,
        calls=dict(calls or {}),
        expires_at=now + LIFETIME,
        requested_by=requested_by,
    )


@dataclass(frozen=True, kw_only=True)
class ApprovalClaim:
    """What a yes must be given for: an option, one call under it, and the text that runs.

    ``text`` and ``parameters`` are the digests of what is about to run, ``acting`` is who runs it.
    ``second_person`` asks that whoever approved neither asked for the run nor runs it.
    """

    option: str
    title: str
    call: str
    text: str
    parameters: str
    now: datetime
    acting: str = ""
    second_person: bool = False


def demand(approvals: Sequence[Approved], claim: ApprovalClaim) -> Approved:
    """Return the newest approval that covers a claim; ``approvals`` stand newest first.

    One that does not hold hides no other one. Raises ApprovalError with what is wrong with the
    newest where none holds.
    """
    wrong = [_flaw(approval, claim) for approval in approvals]
    for approval, flaw in zip(approvals, wrong, strict=True):
        if not flaw:
            return approval
    raise ApprovalError(wrong[0] if wrong else f"{claim.option!r} is not approved.")


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are one person's, however they are typed."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _flaw(approval: Approved, claim: ApprovalClaim) -> str:
    """Say why an approval does not cover a claim; empty where it does."""
    flaws = (_flaw_of_time(approval, claim), _flaw_of_text(approval, claim))
    return next(filter(None, (*flaws, _flaw_of_person(approval, claim))), "")


def _flaw_of_time(approval: Approved, claim: ApprovalClaim) -> str:
    said = f"The approval of {claim.option!r} by {approval.by}"
    if claim.now >= approval.expires_at:
        return f"{said} expired {words(claim.now - approval.expires_at)} ago."
    if approval.expires_at - approval.at > LIFETIME or claim.now < approval.at - CLOCKS_DIFFER:
        return f"{said} is dated as none can be. Approve it again."
    return ""


def _flaw_of_text(approval: Approved, claim: ApprovalClaim) -> str:
    by, option = approval.by, claim.option
    if approval.text != claim.text:
        return f"The runbook changed after {by} approved {option!r}. Approve it again."
    if approval.parameters != claim.parameters:
        return f"{by} approved {option!r} for other parameters. Approve it again."
    if approval.calls.get(claim.title, claim.call) != claim.call:
        return f"{by} approved {approval.calls[claim.title]}, not {claim.call}. Approve it again."
    return ""


def _flaw_of_person(approval: Approved, claim: ApprovalClaim) -> str:
    involved = (approval.requested_by, claim.acting)
    if claim.second_person and any(same_person(approval.by, name) for name in involved):
        return (
            f"{claim.title!r} cannot be undone, and this is production: it needs approval by "
            f"somebody other than {approval.by}, who asked for the run or runs it."
        )
    return ""
