"""Validations and proposed edits as lines for a terminal and as JSON."""

from collections.abc import Iterator
from typing import Any, Final

from runbook_nb.authoring.maintenance.proposals import Proposal
from runbook_nb.authoring.maintenance.review import Review
from runbook_nb.authoring.maintenance.validation import Validation
from runbook_nb.errors import RunbookError

_SHOWN: Final = 3  # the newest sightings of a proposal


def validation_lines(name: str, validation: Validation | RunbookError) -> Iterator[str]:
    """Say what a validation came to, or why there was none."""
    if isinstance(validation, RunbookError):
        yield f"{name}: NOT VALIDATED. {validation}"
        return
    if validation.passed:
        yield f"{name}: validated on {validation.at:%Y-%m-%d}. {validation.notes}"
    else:
        yield f"{name}: NOT VALIDATED. Header and log are untouched."
        for lack in validation.lacks:
            yield f"  {lack.said}"
    yield f"  Journal: {validation.journal}"


def validation_facts(name: str, validation: Validation | RunbookError) -> dict[str, Any]:
    """Return the same as JSON."""
    if isinstance(validation, RunbookError):
        return {"runbook": name, "passed": False, "problem": str(validation)}
    return validation.facts()


def proposal_lines(proposal: Proposal, review: Review) -> Iterator[str]:
    """Show a proposed edit: what was seen in which incidents, and what to change."""
    step = f": {proposal.step}" if proposal.step else ""
    yield f"{proposal.id}  {proposal.runbook}  {proposal.kind}{step}"
    for seen in proposal.sightings[-_SHOWN:]:
        yield f"    {seen.incident}, {seen.at:%Y-%m-%d}, {seen.by}: {seen.said}"
        yield from (f"      {line}" for line in seen.difference.splitlines())
    if len(proposal.incidents) > _SHOWN:
        yield f"    seen in {len(proposal.incidents)} incidents"
    since = " The runbook has changed since." if proposal.changed else ""
    yield f"    {proposal.edit}.{since}"
    if review.is_closed(proposal):
        dealt = review.dealt[proposal.id]
        yield f"    closed by {dealt.by}: {dealt.why}"


def proposal_facts(proposal: Proposal, review: Review) -> dict[str, Any]:
    """Return the same as JSON; ``closed`` is null while it is open."""
    dealt = review.dealt[proposal.id] if review.is_closed(proposal) else None
    closed = {"by": dealt.by, "at": dealt.at, "why": dealt.why} if dealt else None
    return {**proposal.facts(), "closed": closed}
