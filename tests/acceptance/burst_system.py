"""The system that a burst acts on: one row for each effect, whose attempt its timeline names."""

from runbook_nb.probes.calls import Systems, action, probe

TABLES = """
drop table if exists effects;
create table effects (attempt text);
grant select on effects to burst_reader;
grant select, insert on effects to burst_writer;
"""
ADD = "insert into effects values (%(attempt)s) returning attempt"


@probe(unit="repairs")
def missing(systems: Systems) -> int:
    """Say that one is missing, whatever was done: only the ledger keeps an action from a second."""
    return int(systems.database().value("select count(*) * 0 + 1 from effects"))


@action(timeout_s=30, contained=True)
def add(systems: Systems) -> list[dict[str, object]]:
    """Add one effect; a second one of an incident would be one too many."""
    with systems.database().transaction():
        # Long enough for a kill to come in the middle, often.
        systems.database().rows("select pg_sleep(1.5)")
        return systems.database().rows(ADD, attempt=systems.attempt)
