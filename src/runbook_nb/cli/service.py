"""The commands of the service: serve, work, order, queue, store."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runbook_nb.cli.app import (
    EXIT_CODES,
    Actor,
    AsJson,
    Incidents,
    Parameters,
    app,
    given_parameters,
    say,
    say_to_errors,
)
from runbook_nb.cli.completion import incident_ids, runbook_names
from runbook_nb.errors import RunbookError
from runbook_nb.timeline.events import Verdict

if TYPE_CHECKING:
    from runbook_nb.service.orders import KeptOrder, Orders

queue = typer.Typer(help="What waits, runs or was given up; retry or drop it.")
store = typer.Typer(help="Prepare and look at the service's database.", no_args_is_help=True)
app.add_typer(queue, name="queue")
app.add_typer(store, name="store")

Order = Annotated[str, typer.Argument(help="The id of an order, as `runbook queue` shows it.")]


class Example(StrEnum):
    """What may keep the service running, or work its orders."""

    SYSTEMD = "systemd"
    CONTAINER = "container"
    KUBERNETES = "kubernetes"
    AIRFLOW = "airflow"


class Place(StrEnum):
    """Where timelines are."""

    STORE = "store"
    FOLDER = "folder"


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="A loopback address; empty: only work.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0: any.")
    ] = 8765,
    slots: Annotated[int, typer.Option(min=1, max=64, help="Runs at once.")] = 2,
    example: Annotated[
        Example | None, typer.Option(help="Print what keeps it or its orders running, and end.")
    ] = None,
    incidents: Incidents = None,
) -> None:
    """Take alerts in by themselves and work what they order, until SIGTERM.

    Alertmanager, Grafana, PagerDuty and Opsgenie send to /hooks/SOURCE. Nothing is approved by it:
    what would change something waits for a person. Where the project names no store, it runs a
    PostgreSQL of its own on this machine.

    Example: runbook serve --slots 4
    """
    from runbook_nb.service.server import serve as run_service
    from runbook_nb.service.settings import ServiceSettings
    from runbook_nb.timeline.folder import incidents_folder

    settings = ServiceSettings.read()
    if example:
        typer.echo(_example(example, host=host, port=port, slots=slots), nl=False)
        return
    run_service(settings, incidents or incidents_folder(), slots=slots, host=host, port=port)


def _example(example: Example, *, host: str, port: int, slots: int) -> str:
    """Return a file for the project here with this installation."""
    from string import Template

    from runbook_nb.project import demand_project
    from runbook_nb.runbook.folders import templates_folder

    text = (templates_folder("serve") / "examples" / example).read_text(encoding="utf-8")
    return Template(text).substitute(
        project=demand_project().root,
        program=Path(sys.executable).with_name("runbook"),
        host=host or "''",
        port=port,
        slots=slots,
    )


@app.command()
def work(
    order: Order = "",
    *,
    parked: Annotated[
        bool, typer.Option("--parked", hidden=True, help="Get ready, and read the id from a line.")
    ] = False,
    incidents: Incidents = None,
    as_json: AsJson = False,
) -> None:
    """Work one order here, as any other engine may ask for it; exit by its verdict.

    An order that runs already, or has ended, is left alone, and so is one whose environment is
    busy: it waits for its turn.

    Example: runbook work O-1f0c2a9be4d7
    """
    from contextlib import nullcontext

    from runbook_nb.errors import ParameterError
    from runbook_nb.runs.engine.progress import for_stream
    from runbook_nb.runs.engine.spare_kernel import SpareKernel
    from runbook_nb.service.settings import ServiceSettings
    from runbook_nb.service.traces import PARENT, send_all
    from runbook_nb.service.worker import get_ready
    from runbook_nb.service.worker import work as work_order
    from runbook_nb.timeline.folder import incidents_folder

    parent = os.environ.get(PARENT, "")
    with SpareKernel(single=True) if parked else nullcontext() as ready:
        if parked:
            get_ready()
            order, _, parent = sys.stdin.readline().strip().partition(" ")
            if not order:
                return  # who was to name it has ended
        if not order:
            message = "Name an order: runbook work ORDER. See those that wait: runbook queue"
            raise ParameterError(message)
        # Read only now: they may have changed while nobody worked.
        worked = work_order(
            order,
            settings=ServiceSettings.read(),
            incidents=incidents or incidents_folder(),
            progress=for_stream(sys.stderr if as_json else sys.stdout),
            ready=ready,
            parent=parent,
        )
    send_all()
    if worked is None:
        said = f"{order}: nothing to do now. See: runbook queue"
        say(said, facts={"order": order, "worked": False}, as_json=as_json)
        return
    if worked.problem:
        say_to_errors(f"{order}: {worked.problem}")
    if worked.replaced:
        say_to_errors(f"{order}: another worker had taken it over; what it says counts.")
    verdict = worked.run.verdict if worked.run else Verdict.UNKNOWN
    facts = {"order": order, "worked": True, "incident": worked.order.incident, "verdict": verdict}
    say(f"{order}: {verdict}.", facts=facts, as_json=as_json)
    raise typer.Exit(EXIT_CODES[verdict])


@app.command()
def order(
    name: Annotated[str, typer.Argument(help="A runbook.", autocompletion=runbook_names)],
    *,
    incident: Annotated[str, typer.Option(help="An open incident.", autocompletion=incident_ids)],
    parameter: Parameters = None,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Order a run of a runbook in an open incident; a worker does it.

    Example: runbook order queue_backlog --incident INC-2041
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.incident.declaration import declaration_of
    from runbook_nb.runbook.policy import policy_for
    from runbook_nb.runbook.runbook import Runbook
    from runbook_nb.timeline.folder import incidents_folder
    from runbook_nb.timeline.incidents import beginning, find, refuse_closed

    timeline = find(incidents or incidents_folder(), incident)
    refuse_closed(timeline)
    runbook, who = Runbook.find(name), by or actor()
    given = {"environment": beginning(timeline).environment, **given_parameters(parameter or [])}
    declaration, _values = declaration_of(runbook, given, by=who)
    with _orders() as orders:
        placed, is_new = orders.place(
            incident=incident,
            runbook=runbook.name,
            environment=declaration.environment.name,
            parameters=given,
            cause=who,
            priority=policy_for(runbook).urgency(str(runbook.front["severity"])),
        )
    said = f"Order {placed}" if is_new else f"Order {placed} waits or runs already"
    facts = {"order": placed, "new": is_new}
    say(f"{said}: {runbook.name} in {incident}.", facts=facts, as_json=as_json)


@queue.callback(invoke_without_command=True)
def show_queue(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show what waits, runs, or was given up.

    Example: runbook queue
    """
    if context.invoked_subcommand:
        return
    with _orders() as orders:
        found = orders.listed("queued", "running", "given_up")
    lines = [_line(each) for each in found] or ["Nothing waits, runs, or was given up."]
    say("\n".join(lines), facts={"orders": [_facts(each) for each in found]}, as_json=as_json)


@queue.command()
def retry(order: Order, *, as_json: AsJson = False) -> None:
    """Queue an order again that was given up or dropped.

    Example: runbook queue retry O-1f0c2a9be4d7
    """
    with _orders() as orders:
        changed = orders.retry(order)
    say(_line(changed), facts=_facts(changed), as_json=as_json)


@queue.command()
def drop(
    order: Order,
    *,
    reason: Annotated[str, typer.Option(help="Why nobody needs it, in a sentence.")],
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """End an order that waits, with a reason; one that runs ends by itself.

    Example: runbook queue drop O-1f0c2a9be4d7 --reason "A test of the sender."
    """
    from runbook_nb.incident.context import actor

    with _orders() as orders:
        changed = orders.drop(order, reason=reason, by=by or actor())
    say(_line(changed), facts=_facts(changed), as_json=as_json)


@store.command()
def migrate(
    *,
    grant: Annotated[
        str, typer.Option(help="A role that may use the store, and only add to timelines.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Bring the store's schema to this release's version; what is there stays.

    Example: runbook store migrate --grant runbook_app
    """
    from runbook_nb.service.queue import prepare_queue
    from runbook_nb.timeline.store.database import grant as grant_to
    from runbook_nb.timeline.store.database import migrate as migrate_schema
    from runbook_nb.timeline.store.database import version_known
    from runbook_nb.timeline.store.settings import StoreSettings

    dsn = StoreSettings.read().address()
    applied = migrate_schema(dsn)
    prepare_queue(dsn)
    if grant:
        grant_to(dsn, grant)
    said = f"Version {version_known()}; {len(applied) or 'nothing'} applied."
    say(said, facts={"version": version_known(), "applied": applied}, as_json=as_json)


@store.command()
def check(*, as_json: AsJson = False) -> None:
    """Look whether the store answers and has the schema that this release needs.

    Example: runbook store check
    """
    from runbook_nb.timeline.store.database import demand_current, version_known
    from runbook_nb.timeline.store.settings import StoreSettings

    settings = StoreSettings.read()
    demand_current(settings.address())
    said = f"The store answers, and has version {version_known()} of the schema."
    facts: dict[str, object] = {"version": version_known()}
    if settings.dsn is None:
        said += (
            f" It is this machine's own, in {settings.embedded}. Back up the folder of incidents, "
            "which holds every timeline; the store holds messages and orders: copy its folder "
            "while the service is stopped."
        )
        facts["folder"] = str(settings.embedded)
    say(said, facts=facts, as_json=as_json)


@store.command()
def copy(
    *,
    to: Annotated[Place, typer.Option(help="Where lines are written that are missing there.")],
    incidents: Incidents = None,
    as_json: AsJson = False,
) -> None:
    """Bring incidents from this folder to where all machines find them, or from there.

    These are timelines, where the store has them, and executed copies and records, where it names
    a place for files. Only what is missing is written, as it was. Do it once when the store gets
    the timelines, and before you archive: the archive is made of the folder.

    Example: runbook store copy --to store
    """
    from runbook_nb.errors import SettingMissingError
    from runbook_nb.timeline.copying import files_from, files_to, to_folder, to_store
    from runbook_nb.timeline.depot import depot_of
    from runbook_nb.timeline.folder import incidents_folder
    from runbook_nb.timeline.store.chain import store_of

    folder = incidents or incidents_folder()
    known, depot = store_of(folder), depot_of(folder)
    if known is None and depot is None:
        message = (
            f"The store has neither the timelines nor the files of {folder}. Say so in the "
            'project\'s file: [store] timelines = true, files = "s3://bucket/incidents"'
        )
        raise SettingMissingError(message)
    copied = []
    if known is not None:
        copied.append((to_store if to is Place.STORE else to_folder)(folder, known))
    if depot is not None:
        copied.append((files_to if to is Place.STORE else files_from)(folder, depot))
    new, problems = sum(each.new for each in copied), [p for each in copied for p in each.problems]
    said = f"{new:,} lines and files were new in the {to}."
    say(said, facts={"new": new, "problems": problems}, as_json=as_json)
    for problem in problems:
        say_to_errors(problem)
    if problems:
        raise typer.Exit(RunbookError.exit_code)


@contextmanager
def _orders() -> "Iterator[Orders]":
    from runbook_nb.service.orders import Orders
    from runbook_nb.timeline.store.database import connected, demand_current
    from runbook_nb.timeline.store.settings import StoreSettings

    dsn = StoreSettings.read().address()
    demand_current(dsn)
    with connected(dsn) as connection:
        yield Orders(connection)


def _line(order: "KeptOrder") -> str:
    began = f", attempt {order.attempts} on {order.worker}" if order.state == "running" else ""
    return (
        f"{order.id}  {order.state:8}  {order.runbook} in {order.incident} ({order.environment})"
        f"{began}, ordered {order.queued_at:%Y-%m-%d %H:%M:%SZ} because of {order.cause}"
    )


def _facts(order: "KeptOrder") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(order)
