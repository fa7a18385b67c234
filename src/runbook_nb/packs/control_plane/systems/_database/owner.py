"""What is done as the owner of the platform's tables, in a transaction of the caller."""

from typing import Final

from runbook_nb.probes.connections import Database

# A lock that is not given within 3 s is not waited for: what waits for it blocks every reader.
AS_OWNER: Final = """
select set_config('lock_timeout', '3s', true),
       set_config('role', (select pg_get_userbyid(relowner)
                           from pg_class where oid = 'public.missions'::regclass), true)
"""


def run_statement(database: Database, statement: str) -> None:
    """Run a statement that PostgreSQL itself wrote out, names quoted."""
    # A percent sign in it must not read as a parameter.
    database.rows(statement.replace("%", "%%"))
