"""The system that a storm acts on: one row for each effect, in the round that goes on."""

from runbook_nb.probes.calls import Systems, action, probe

TABLES = """
drop schema if exists storm cascade;
create schema storm;
create table storm.rounds (number int primary key);
create table storm.effects (number int, attempt text);
grant usage on schema storm to runbook_reader, runbook_writer;
grant select on all tables in schema storm to runbook_reader;
grant select, insert on all tables in schema storm to runbook_writer;
"""
ADD = """
insert into storm.effects select max(number), %(attempt)s from storm.rounds
returning number, attempt
"""
COUNT = "select count(*) from storm.effects where number = (select max(number) from storm.rounds)"


@probe(unit="effects")
def effects(systems: Systems) -> int:
    """Count the effects of this round."""
    return int(systems.database().value(COUNT))


@action(timeout_s=30, contained=True)
def add(systems: Systems) -> list[dict[str, object]]:
    """Add one effect; a second one would be one too many."""
    with systems.database().transaction():
        # Long enough for a storm to strike in the middle, often.
        systems.database().rows("select pg_sleep(1.5)")
        return systems.database().rows(ADD, attempt=systems.attempt)
