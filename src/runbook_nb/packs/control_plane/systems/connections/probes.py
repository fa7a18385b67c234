"""What is read of the accounts at Composio and our rows."""

from datetime import UTC, date, datetime
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.row_updates import (
    may_update,
    triggers_without_column,
)
from runbook_nb.packs.control_plane.systems.connections._standing import (
    AccountState,
    standings,
)
from runbook_nb.packs.control_plane.systems.connections._surplus import surplus_accounts
from runbook_nb.probes.calls import Reading, Systems, probe

# A mission that has not left Prepare may still wait for its customer.
_BEFORE: Final = ("Home", "Define", "Prepare")


@probe(unit="accounts", timeout_s=15)
def expired(systems: Systems) -> Reading:
    """Count the accounts of open missions whose consent no longer works at Composio."""
    found = {
        one.key: one
        for one in standings(systems)
        if one.open
        and one.word in ("expired", "failed")
        and one.row["status"] not in ("revoked", "initiated")
        and not one.disabled
    }
    return Reading(value=len(found), detail=_shown(list(found.values())))


@probe(unit="accounts", timeout_s=15)
def disabled(systems: Systems) -> Reading:
    """Count the accounts of open missions that are switched off at Composio and not expired.

    Their consent still holds: whoever switched one off can switch it on again.
    """
    found = {one.key: one for one in standings(systems) if one.open and one.disabled}
    return Reading(value=len(found), detail=_shown(list(found.values())))


@probe(unit="rows", timeout_s=15)
def revoked(systems: Systems) -> Reading:
    """Count approved rows whose consent was withdrawn, or whose account is gone."""
    found = [
        one
        for one in standings(systems)
        if one.open and one.word == "revoked" and one.row["status"] == "approved"
    ]
    return Reading(value=len(found), detail=_shown(found))


@probe(unit="rows", timeout_s=15)
def differing(systems: Systems) -> Reading:
    """Count rows of open missions that say something else than Composio."""
    found = [one for one in standings(systems) if one.differs]
    return Reading(value=len(found), detail=_shown(found))


@probe(unit="missions", timeout_s=15)
def cut_off(systems: Systems) -> Reading:
    """Count missions past Prepare that cannot use a toolkit they were connected to.

    A consent that our row already shows as revoked does not count: its customer has decided.
    """
    found = [one for one in standings(systems) if _cut_off(one)]
    return Reading(value=len({one.row["mission_id"] for one in found}), detail=_shown(found))


@probe(unit="accounts", timeout_s=15)
def duplicates(systems: Systems) -> Reading:
    """Count active accounts beside a newer one of the same user, toolkit and upstream account."""
    surplus = surplus_accounts(systems)
    return Reading(value=len(surplus), detail=surplus)


@probe(unit="")
def row_updates(systems: Systems, *, accepted_until: str = "") -> Reading:
    """Tell from the catalogue whether a row can be updated; nothing is tried.

    ``possible``; ``broken`` when a trigger writes a column that the table does not have;
    ``forbidden`` when the platform's role may not update. A platform that was delivered broken is
    ``broken, as accepted`` up to the end of a day, such as 2027-03-31; an acceptance without an end
    is none.
    """
    if not may_update(systems.database()):
        return Reading(value="forbidden")
    broken = triggers_without_column(systems.database())
    if not broken:
        return Reading(value="possible")
    accepted = bool(accepted_until) and datetime.now(UTC).date() <= date.fromisoformat(
        accepted_until
    )
    return Reading(value="broken, as accepted" if accepted else "broken", detail=broken)


@probe(unit="rows", timeout_s=15)
def stuck(systems: Systems) -> Reading:
    """Count rows that have to be set and cannot be, because no row can be updated."""
    waiting = [
        one
        for one in standings(systems)
        if one.differs or one.row["ends_soon"] or (one.open and one.row["lacks_scopes"])
    ]
    found = waiting if triggers_without_column(systems.database()) else []
    return Reading(value=len(found), detail=_shown(found))


def _cut_off(one: AccountState) -> bool:
    at_work = one.row["mission_status"] == "in_progress" and one.row["stage"] not in _BEFORE
    lives = one.row["status"] == one.word == "approved"
    return at_work and one.open and not lives and one.row["status"] != "revoked"


def _shown(found: list[AccountState]) -> list[dict[str, Any]]:
    return [one.shown() for one in found]
