"""Approvals as they are given: who says yes to which option, for what exactly, until when."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import rfc8785

from runbook_nb.errors import ApprovalError
from runbook_nb.incident.statement import signed
from runbook_nb.probes.environment import Environment
from runbook_nb.runbook.keys import NO_SEAL, Seal, own_seal
from runbook_nb.runbook.people import People, tidy_name
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Approved
from runbook_nb.timeline.writer import WritableTimeline

LIFETIME: Final = timedelta(minutes=30)  # the escalation time of a SEV1; after it, ask again
INCIDENT_PARAMETER: Final = "incident_id"
_TABLE: Final = '[people."you@company.com"] keys = ["{key}"], may = ["approve"]'


def parameters_digest(parameters: Mapping[str, Json], *, environment: str) -> str:
    """Return the digest by which an approval names the parameters of a run, and where it runs.

    ``parameters`` are all values of the run in their types, defaults too; an incident's id among
    them counts for nothing, since the approval stands on that incident's timeline. SHA-256 over
    the canonical JSON (RFC 8785), as hexadecimal.
    """
    named = {name: value for name, value in parameters.items() if name != INCIDENT_PARAMETER}
    return hashlib.sha256(rfc8785.dumps({**named, "environment": environment})).hexdigest()


def call_digest(call: str) -> str:
    """Return the digest of a resolved call as it is; on the timeline parts of it may be masked."""
    return hashlib.sha256(call.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Approver:
    """Who says yes: the owner of a key that signs it, or a name that somebody gave."""

    name: str
    seal: Seal = NO_SEAL


@dataclass(frozen=True, kw_only=True)
class Approvable:
    """What a yes is given to, as it was seen: its digests are those of ``Approved``."""

    option: str
    text: str
    parameters: str
    code: str
    requested_by: str
    calls: Mapping[str, str] = field(default_factory=dict)
    call_digests: Mapping[str, str] = field(default_factory=dict)


def approver_for(
    environment: Environment, *, label: str, key: Path | None, people: People
) -> Approver:
    """Return who may say yes in an environment: the owner of the ``key`` file, or of this user's.

    Where a name is enough and no key is given, it is the ``label``. Raises ApprovalError where
    nobody can sign here.
    """
    if key is None and environment.approve == "named":
        return Approver(name=tidy_name(label))
    seal = own_seal(key)
    where = f"An approval in {environment.name!r} is signed by the key of a person"
    if seal.key is None:
        message = f"{where}. {seal.reason} Make one with `runbook key`, or name one: --key FILE."
        raise ApprovalError(message)
    owner = people.owner(seal.fingerprint)
    if owner is None:
        table = _TABLE.format(key=seal.fingerprint)
        message = f"{where}, and nobody in the project's file has this one. Have it added: {table}"
        raise ApprovalError(message)
    if not owner.may_approve:
        message = f'{where} who may approve. Have `may = ["approve"]` added to {owner.name!r}.'
        raise ApprovalError(message)
    return Approver(name=owner.name, seal=seal)


def approve(timeline: WritableTimeline, approvable: Approvable, approver: Approver) -> Approved:
    """Write a yes, for half an hour from now on, to what the timeline shows at this moment.

    Raises ApprovalError where a part of it would be masked, and so never be the same again.
    """
    drawn = draft(timeline, approvable, by=approver.name)
    return put(timeline, signed(drawn, approver.seal))


def draft(
    timeline: WritableTimeline, approvable: Approvable, *, by: str, key: str = ""
) -> Approved:
    """Return a yes as it can be signed, and write nothing; ``key`` is what will sign it."""
    seen = timeline.seen()
    now = datetime.now(UTC)
    return Approved(
        at=now,
        by=by,
        option=approvable.option,
        text=approvable.text,
        parameters=approvable.parameters,
        code=approvable.code,
        requested_by=approvable.requested_by,
        calls=dict(approvable.calls),
        call_digests=dict(approvable.call_digests),
        incident=timeline.folder.name,
        expires_at=now + LIFETIME,
        seen=seen,
        nonce=secrets.token_hex(16),
        key=key,
    )


def put(timeline: WritableTimeline, given: Approved) -> Approved:
    """Write a yes that was signed; raises ApprovalError where a part of it would be masked."""
    if not timeline.stands_as_given(given):
        message = (
            "A part of this approval would be masked when it is written, and what is approved is "
            "compared as it was given. Let no name, option or call hold what looks like a secret."
        )
        raise ApprovalError(message)
    return timeline.append(given)
