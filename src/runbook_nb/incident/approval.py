"""Approvals: who says yes to which option, for which text and parameters, until when."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import rfc8785

from runbook_nb.errors import ApprovalError
from runbook_nb.text.durations import words
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Approved

LIFETIME: Final = timedelta(minutes=30)  # the escalation time of a SEV1; after it, ask again
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


def demand(
    approval: Approved | None,
    *,
    option: str,
    title: str,
    call: str,
    text: str,
    parameters: str,
    now: datetime,
    second_person: bool,
) -> Approved:
    """Return the approval if it covers this call; raise ApprovalError with the reason if not.

    ``text`` and ``parameters`` are the digests of what is about to run. ``second_person`` asks
    that the approver is somebody else than who requested the run.
    """
    if approval is None:
        message = f"{option!r} is not approved."
        raise ApprovalError(message)
    if now >= approval.expires_at:
        late = words(now - approval.expires_at)
        message = f"The approval of {option!r} by {approval.by} expired {late} ago."
        raise ApprovalError(message)
    if approval.text != text:
        message = f"The runbook changed after {approval.by} approved {option!r}. Approve it again."
        raise ApprovalError(message)
    if approval.parameters != parameters:
        message = f"{approval.by} approved {option!r} for other parameters. Approve it again."
        raise ApprovalError(message)
    if approval.calls.get(title, call) != call:
        message = f"{approval.by} approved {approval.calls[title]}, not {call}. Approve it again."
        raise ApprovalError(message)
    if second_person and approval.by == approval.requested_by:
        message = (
            f"{title!r} cannot be undone, and this is production: "
            f"it needs approval by somebody other than {approval.by}."
        )
        raise ApprovalError(message)
    return approval
