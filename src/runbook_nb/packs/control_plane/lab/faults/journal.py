"""Changes of rows that a fault makes, noted one by one so that healing takes back exactly these."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from psycopg import sql

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    restore_live_sessions,
    superuser,
)
from runbook_nb.packs.control_plane.lab.state import LabState

# A schema of its own is out of reach of every role but the owner.
_JOURNAL: Final = """
create schema if not exists lab_journal;
create table if not exists lab_journal.changes (
    number bigserial primary key, fault text, place text, id text, was jsonb
);
create or replace function lab_journal.note() returns trigger language plpgsql as $$
begin
    insert into lab_journal.changes (fault, place, id, was)
    values (current_setting('lab_journal.fault'), tg_table_name,
            coalesce(to_jsonb(new), to_jsonb(old)) ->> tg_argv[0],
            case when tg_op <> 'INSERT' then to_jsonb(old) end);
    return null;
end $$;
"""
_NOTED: Final = "select to_regclass('lab_journal.changes') is not null"
_TOUCHED: Final = "select distinct place from lab_journal.changes where fault = %s"
_WATCH: Final = """
create trigger lab_journal after insert or update or delete on public.{table}
   for each row execute function lab_journal.note({key});
alter table public.{table} enable always trigger lab_journal;
"""
_LEAVE: Final = "drop trigger lab_journal on public.{table}"
_FIRST: Final = """
select distinct on (id) id, was from lab_journal.changes
 where fault = {fault} and place = {place} order by id, number
"""
_UNMAKE: Final = """
delete from public.{table} where {key}::text in (select id from ({first}) as c where was is null)
"""
_UNCHANGE: Final = """
update public.{table} as now set ({columns}) = (
    select {columns} from jsonb_populate_record(null::public.{table}, c.was))
  from ({first}) as c
 where now.{key}::text = c.id and c.was is not null
"""
_UNDELETE: Final = """
insert into public.{table}
select (jsonb_populate_record(null::public.{table}, c.was)).* from ({first}) as c
 where c.was is not null
on conflict do nothing
"""
_COLUMNS: Final = """
select attname from pg_attribute
 where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""
_KEYS: Final = {"library_embeddings": "entry_id"}
_LIVE: Final = frozenset({"missions", "mission_sessions"})


def change(
    lab: LabState,
    *statements: str,
    fault: str,
    tables: Sequence[str],
    stamping: bool = False,
    given: Mapping[str, Any] | None = None,
) -> None:
    """Run statements in one transaction and note what they do to ``tables``.

    With ``stamping`` the tables' own triggers and keys act as they do for users; without it rows
    keep the times that the statements give them.
    """
    with superuser(lab) as connection, connection.transaction():
        connection.execute(_JOURNAL)
        connection.execute("set local lock_timeout = '3s'")
        connection.execute("select set_config('lab_journal.fault', %s, true)", [fault])
        for table in sorted(tables):
            connection.execute(_statement(_WATCH, table))
        if not stamping:
            connection.execute("set local session_replication_role = replica")
        for statement in statements:
            # A situation in which one part is not there would prove another thing.
            if connection.execute(statement.encode(), given).rowcount == 0:
                raise LabError(f"{fault} found no row to change; heal the lab first.")
        for table in sorted(tables):
            connection.execute(_statement(_LEAVE, table))


def take_back(lab: LabState, *, fault: str) -> None:
    """Make the rows that a fault changed what they were, and forget that it did."""
    with superuser(lab) as connection:
        if connection.execute(_NOTED).fetchone() != (True,):
            return
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            places = sorted(place for (place,) in connection.execute(_TOUCHED, [fault]))
            for table in places:
                _take_back(connection, table, fault)
            connection.execute("delete from lab_journal.changes where fault = %s", [fault])
    if _LIVE.intersection(places):
        restore_live_sessions(lab, anew=False)


def row_fault(
    name: str,
    title: str,
    *statements: str,
    tables: Sequence[str],
    stamping: bool = False,
    then: Callable[[LabState], None] | None = None,
) -> Fault:
    """Return a fault that is made of rows alone; ``then`` heals what is no row."""

    def inject(lab: LabState) -> None:
        change(lab, *statements, fault=name, tables=tables, stamping=stamping)

    def heal(lab: LabState) -> None:
        take_back(lab, fault=name)
        if then is not None:
            then(lab)

    return Fault(name=name, title=title, inject=inject, heal=heal)


def beside(name: str, title: str, *faults: Fault) -> Fault:
    """Return several faults at once, healed in the reverse order."""

    def inject(lab: LabState) -> None:
        for fault in faults:
            fault.inject(lab)

    def heal(lab: LabState) -> None:
        for fault in reversed(faults):
            fault.heal(lab)

    return Fault(name=name, title=title, inject=inject, heal=heal)


def statement_fault(name: str, title: str, *, inject: Sequence[str], heal: Sequence[str]) -> Fault:
    """Return a fault of settings, grants or definitions, made and unmade as the superuser."""

    def run(lab: LabState, statements: Sequence[str]) -> None:
        with superuser(lab) as connection, connection.transaction():
            connection.execute("set local lock_timeout = '3s'")
            for statement in statements:
                connection.execute(statement.encode())

    return Fault(
        name=name,
        title=title,
        inject=lambda lab: run(lab, inject),
        heal=lambda lab: run(lab, heal),
    )


def _take_back(connection: Connection, table: str, fault: str) -> None:
    columns = [name for (name,) in connection.execute(_COLUMNS, [f"public.{table}"])]
    place = sql.Literal(table)
    first = sql.SQL(_FIRST).format(fault=sql.Literal(fault), place=place)
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    for template in (_UNMAKE, _UNCHANGE, _UNDELETE):
        connection.execute(_statement(template, table, first=first, columns=named))


def _statement(template: str, table: str, **parts: sql.Composable) -> sql.Composed:
    key = sql.Identifier(_KEYS.get(table, "id"))
    return sql.SQL(template).format(table=sql.Identifier(table), key=key, **parts)
