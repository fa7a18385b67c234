"""Whether the approvals on a timeline are enough for a call: how many, whose, and for what exactly.

All that hold are counted, not only the newest: one that does not hold hides no other one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from runbook_nb.errors import ApprovalError
from runbook_nb.incident.approval import LIFETIME, call_digest
from runbook_nb.incident.statement import signer
from runbook_nb.runbook.people import People
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import listed
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Approved
from runbook_nb.timeline.log import Timeline

CLOCKS_DIFFER: Final = timedelta(minutes=5)  # of two machines, at most


@dataclass(frozen=True, kw_only=True)
class ApprovalClaim:
    """What a yes must be given for: an option, one call under it, and the text that runs.

    ``text``, ``parameters`` and ``code`` are the digests of what is about to run. ``signatures``
    is how many different people must have signed; with 0 a name is enough.
    """

    option: str
    title: str
    call: str
    text: str
    parameters: str
    code: str
    now: datetime
    signatures: int = 1


@dataclass(frozen=True, kw_only=True)
class Yes:
    """Who said yes; ``approvers`` are the owners of the keys that prove it, by fingerprint."""

    by: str
    approvers: dict[str, str] = field(default_factory=dict)


def demand(timeline: Timeline, claim: ApprovalClaim, people: Callable[[], People]) -> Yes:
    """Return the yes that covers a claim; raises ApprovalError with what is missing.

    ``people`` is asked only where a key must prove who somebody is.
    """
    given = queries.approvals(timeline, claim.option)
    known = people() if claim.signatures else People()
    judged = [(each, _flaw(each, claim, timeline, known)) for each in given]
    holding = [each for each, flaw in judged if not flaw]
    if not claim.signatures and holding:
        return Yes(by=holding[0].by)
    owners = {each.by: signer(each) for each in holding}
    if claim.signatures and len(owners) >= claim.signatures:
        return Yes(by=listed(sorted(owners)), approvers={owners[by]: by for by in owners})
    if judged and not owners:
        raise ApprovalError(judged[0][1])
    raise ApprovalError(_missing(claim, signed=len(owners)))


def _missing(claim: ApprovalClaim, *, signed: int) -> str:
    """Say how many have yet to approve, and how."""
    if claim.signatures > 1:
        said = "one has signed" if signed else "nobody has signed"
        return (
            f"{claim.title!r} cannot be undone, and this is production: it needs the signatures of "
            f"two people, and {said}. Each signs with `runbook approve`."
        )
    how = " Sign it with `runbook approve`." if claim.signatures else ""
    return f"{claim.option!r} is not approved.{how}"


def _flaw(approval: Approved, claim: ApprovalClaim, timeline: Timeline, people: People) -> str:
    """Say why an approval does not cover a claim; empty where it does."""
    flaws = _flaws(approval, claim, timeline, people)
    return next(filter(None, flaws), "")


def _flaws(
    approval: Approved, claim: ApprovalClaim, timeline: Timeline, people: People
) -> Iterator[str]:
    yield _flaw_of_time(approval, claim)
    yield _flaw_of_text(approval, claim)
    yield _flaw_of_call(approval, claim)
    if claim.signatures:
        yield _flaw_of_person(approval, people)
        yield _flaw_of_place(approval, timeline)


def _flaw_of_time(approval: Approved, claim: ApprovalClaim) -> str:
    said = f"The approval of {claim.option!r} by {approval.by}"
    if claim.now >= approval.expires_at:
        return f"{said} expired {words(claim.now - approval.expires_at)} ago."
    if approval.expires_at - approval.at > LIFETIME or approval.at - claim.now > CLOCKS_DIFFER:
        return f"{said} is dated as none can be. Approve it again."
    return ""


def _flaw_of_text(approval: Approved, claim: ApprovalClaim) -> str:
    by, option = approval.by, claim.option
    if approval.text != claim.text:
        return f"The runbook changed after {by} approved {option!r}. Approve it again."
    if approval.parameters != claim.parameters:
        return f"{by} approved {option!r} for other parameters. Approve it again."
    if claim.signatures and not claim.code:
        return f"The pack's code cannot be read here, so nobody can have approved {option!r}."
    # An approval by name may have been given where no code was seen.
    if approval.code != claim.code and (claim.signatures or approval.code):
        return f"The pack's code changed after {by} approved {option!r}. Approve it again."
    return ""


def _flaw_of_call(approval: Approved, claim: ApprovalClaim) -> str:
    """Compare what was not masked, where that is known."""
    title, call = claim.title, claim.call
    digest = approval.call_digests.get(title)
    same = digest == call_digest(call) if digest else approval.calls.get(title, call) == call
    shown = approval.calls.get(title, "another call")
    return "" if same else f"{approval.by} approved {shown}, not {call}. Approve it again."


def _flaw_of_place(approval: Approved, timeline: Timeline) -> str:
    """Hold an approval to this incident, to what its approver saw, and to its one use."""
    said = f"The approval of {approval.option!r} by {approval.by}"
    if approval.incident != timeline.folder.name:
        return f"{said} is of another incident. Approve it here."
    all_given = queries.of(timeline, Approved)
    first = next(each for each in all_given if each.nonce == approval.nonce)
    if not approval.nonce or first is not approval:
        return f"{said} is a copy of another one. Approve it again."
    # None that it never had, and not the empty one, where there was nothing to see.
    if not timeline.place_of(approval.seen):
        return f"{said} saw another timeline than this one. Look again, and approve it again."
    return ""


def _flaw_of_person(approval: Approved, people: People) -> str:
    said = f"The approval of {approval.option!r} by {approval.by}"
    if not approval.signature:
        return (
            f"{approval.option!r} needs a signature; {approval.by} only says to be {approval.by}."
        )
    key = signer(approval)
    if not key:
        return f"{said} has a signature that does not fit. Approve it again."
    owner = people.owner(key)
    if owner is None or not owner.may_approve:
        return f"{said} is signed with {key}, and nobody who may approve has that key."
    if owner.name != approval.by:
        return f"{said} is signed with the key of {owner.name}. Approve it again."
    return ""
