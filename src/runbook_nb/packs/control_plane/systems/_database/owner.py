"""The owner of the platform's tables: how to become it, and how to log in as it."""

from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database
from runbook_nb.redaction import secrets

# A lock that is not given within 3 s is not waited for: what waits for it blocks every reader.
AS_OWNER: Final = """
select set_config('lock_timeout', '3s', true),
       set_config('role', (select pg_get_userbyid(relowner)
                           from pg_class where oid = 'public.missions'::regclass), true)
"""


def run_statement(database: Database, statement: str) -> list[dict[str, Any]]:
    """Run a statement that PostgreSQL itself wrote out, names quoted; return its rows."""
    # A percent sign in it must not read as a parameter.
    return database.rows(statement.replace("%", "%%"))


def demand_few(count: int, *, of: int, what: str) -> None:
    """Raise NothingDoneError where so many differ that the expectation is another platform's.

    One change, or one release, touches a few; an expectation that does not fit touches most.
    """
    if count > max(2, of // 4):
        message = (
            f"{count} of {of} {what} differ from what is committed. That is no change of one "
            "release: the expectation is not of this platform. Nothing is changed; take a baseline "
            "of your own from a healthy platform (runbook baseline take), and have it reviewed."
        )
        raise NothingDoneError(message)


def owner_dsn(systems: Systems) -> str:
    """Return the connection string of the owner; raises SettingMissingError."""
    reference = systems.setting("database", "owner")
    return secrets.resolve(reference, of="'owner' of 'database'").get_secret_value()
