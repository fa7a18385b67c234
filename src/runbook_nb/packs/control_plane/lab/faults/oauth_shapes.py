"""The faults of connections in other shapes, and what looks like them and is meant so."""

from collections.abc import Callable
from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import change, row_fault, take_back
from runbook_nb.packs.control_plane.lab.faults.oauth import age_key, expire_accounts
from runbook_nb.packs.control_plane.lab.faults.oauth import heal as heal_oauth
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import (
    API,
    accounts_of,
    break_composio,
    busiest,
    composio,
    provide,
)
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.faults.shapes import CALLS, LIVE, OTHER_TENANT, calls
from runbook_nb.packs.control_plane.lab.state import LabState

_ROWS: Final = "mission_connections"
_TOUCHING: Final = "mission_id in (select id from {live} where {which}) and status = 'approved'"


def _connections(what: str, *, which: str, toolkit: str = "", one: bool = False) -> str:
    """Return what changes approved rows of live missions."""
    where = _TOUCHING.format(live=LIVE, which=which)
    where += f" and toolkit_slug = '{toolkit}'" if toolkit else ""
    if one:
        where = f"id = (select id from mission_connections where {where} order by id limit 1)"
    return f"update mission_connections set {what} where {where}"


def _about(lab: LabState) -> dict[str, str]:
    with superuser(lab) as connection:
        return busiest(connection)


def _fault(name: str, title: str, inject: Callable[[LabState], None]) -> Fault:
    def heal(lab: LabState) -> None:
        take_back(lab, fault=name)
        heal_oauth(lab)

    return Fault(name=name, title=title, inject=inject, heal=heal)


def _expire_quietly(lab: LabState) -> None:
    provide(lab, expire=True, **_about(lab))


def _expire_behind_good_calls(lab: LabState) -> None:
    """Have one tenant's consent end: its few calls are refused behind many good ones."""
    provide(lab, expire=True, **_about(lab))
    toolkit, tenant = _about(lab)["toolkit"], _about(lab)["user_id"]
    change(
        lab,
        calls(
            f"tenant_id = '{tenant}'",
            toolkit=toolkit,
            each=4,
            status="auth_expired",
            code="AUTH_EXPIRED",
            every="20 s",
        ),
        calls(f"tenant_id <> '{tenant}'", toolkit=toolkit, each=120, every="20 s"),
        fault="accounts_expired.behind_good_calls",
        tables=[CALLS],
    )


def _delete_account(lab: LabState) -> None:
    for account in accounts_of(lab, _about(lab)):
        with composio(lab) as client:
            client.delete(f"{API}/connected_accounts/{account['id']}").raise_for_status()


def _disable_account(lab: LabState) -> None:
    for account in accounts_of(lab, _about(lab)):
        with composio(lab) as client:
            path = f"{API}/connected_accounts/{account['id']}/status"
            client.patch(path, json={"enabled": False}).raise_for_status()


def _expire_beside_key(lab: LabState) -> None:
    age_key(lab)
    expire_accounts(lab)


FAULTS: Final = (
    _fault(
        "accounts_expired.without_calls",
        "A provider no longer refreshes a consent, and no call was made since",
        _expire_quietly,
    ),
    _fault(
        "accounts_expired.behind_good_calls",
        "One tenant's consent has ended: its calls are refused behind 480 good ones of another",
        _expire_behind_good_calls,
    ),
    _fault(
        "accounts_expired.beside_key",
        "A consent has ended, and the API key is older than a quarter",
        _expire_beside_key,
    ),
    _fault(
        "consent_withdrawn.deleted",
        "A customer's account was deleted at Composio; our rows still say approved",
        _delete_account,
    ),
    _fault(
        "account_disabled",
        "Somebody disabled an account at Composio; its consent still holds",
        _disable_account,
    ),
    row_fault(
        "rows_overdue.one_by_minutes",
        "One connection passed its end three minutes ago",
        _connections("expires_at = now() - interval '3 minutes'", which="n = 2", one=True),
        tables=[_ROWS],
    ),
    row_fault(
        "rows_overdue.one_tenant",
        "All connections of one tenant's missions at work passed their end",
        _connections("expires_at = now() - interval '26 hours'", which=OTHER_TENANT),
        tables=[_ROWS],
    ),
    row_fault(
        "rows_overdue.soon",
        "A connection of sixty days ends in half an hour",
        _connections("expires_at = now() + interval '30 minutes'", which="n = 2", one=True),
        tables=[_ROWS],
    ),
    _fault(
        "key_overdue.by_a_day",
        "The API key is ninety-two days old",
        lambda lab: provide(lab, key_age_days=92),
    ),
    _fault(
        "composio_down.limits",
        "Composio refuses every call with a rate limit",
        lambda lab: break_composio(lab, limited=True),
    ),
    # What follows only looks like trouble with a consent.
    row_fault(
        "tokens_of_an_hour",
        "A toolkit's tokens live one hour by design, and are refreshed in time",
        _connections(
            "requested_at = now() - interval '20 minutes', "
            "approved_at = now() - interval '20 minutes', "
            "expires_at = now() + interval '40 minutes'",
            which="true",
            toolkit="zendesk",
        ),
        tables=[_ROWS],
    ),
    row_fault(
        "refused_before_consent",
        "Calls were refused fifty minutes ago; the customer has connected again since",
        calls(
            "n = 2",
            toolkit="slack",
            each=6,
            status="auth_expired",
            code="AUTH_EXPIRED",
            ago="50 minutes",
        ),
        calls("n = 2", toolkit="slack", each=6, ago="5 minutes", every="1 minute"),
        _connections(
            "requested_at = now() - interval '45 minutes', "
            "approved_at = now() - interval '44 minutes', "
            "expires_at = now() + interval '75 days'",
            which="n = 2",
            toolkit="slack",
        ),
        tables=[CALLS, _ROWS],
    ),
    row_fault(
        "refused_last_night",
        "Calls of one mission were refused nine hours ago, and went well after",
        calls(
            "n = 6",
            toolkit="slack",
            each=6,
            status="auth_expired",
            code="AUTH_EXPIRED",
            ago="9 hours",
        ),
        calls("n = 6", toolkit="slack", each=10, ago="8 hours", every="1 minute"),
        tables=[CALLS],
    ),
    _fault(
        "key_almost_due",
        "The API key is eighty-eight days old: its rotation is planned, not due",
        lambda lab: provide(lab, key_age_days=88),
    ),
)
