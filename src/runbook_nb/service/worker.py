"""Work one order: claim it, run its runbook, and end it with what it came to."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_nb.errors import RunbookError, StoreUnavailableError
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine.progress import Progress
from runbook_nb.runs.engine.spare_kernel import SpareKernel
from runbook_nb.runs.run import Order, Run, run
from runbook_nb.service.deliveries import BY
from runbook_nb.service.findings import notice_of, places_of
from runbook_nb.service.notices import Notices
from runbook_nb.service.orders import KeptOrder, Orders
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.service.traces import span, tell_steps
from runbook_nb.timeline.store.chain import CLAIM, Claim
from runbook_nb.timeline.store.database import connected, demand_current

BEAT_S: Final = 5.0  # how often a run says that it goes on
STALL_S: Final = 30.0  # a run that said nothing for so long is taken for dead
_CUT_OFF: Final = "interrupted"


@dataclass(frozen=True, kw_only=True)
class Worked:
    """What became of an order: its ``run``, or a ``problem``; ``replaced`` by another claim."""

    order: KeptOrder
    run: Run | None = None
    problem: str = ""
    replaced: bool = False


def get_ready() -> None:
    """Import what every run needs, and nothing that a project could have changed meanwhile."""
    lean_imports()
    import papermill  # noqa: F401
    import psycopg.types.json  # noqa: F401
    import rfc8785  # noqa: F401

    import runbook_nb.runs.engine.cells  # noqa: F401


def work(
    order: str,
    *,
    settings: ServiceSettings,
    incidents: Path,
    progress: Progress,
    ready: SpareKernel | None = None,
    parent: str = "",
) -> Worked | None:
    """Claim an order and run it here; None where there is nothing to do with it now.

    ``ready`` has a kernel that waits for it, ``parent`` names the span that its trace goes on from.

    A run that a signal ends gives its order back. One that cannot be run at all ends it, with the
    reason. Raises OrderError where there is no such order, and StoreUnavailableError.
    """
    dsn = settings.store.address()
    demand_current(dsn)
    with connected(dsn) as connection:
        claim = Orders(connection).claim(
            order, worker=f"{socket.gethostname()}/{os.getpid()}", at_most=settings.at_most
        )
    if claim is None:
        return None
    with _beating(dsn, claim) as beats, _claimed(claim):
        try:
            facts = {"order": claim.id, "incident": claim.incident, "attempt": claim.attempts}
            with span(claim.runbook, facts, parent=parent):
                done = _run(claim, incidents=incidents, progress=progress, ready=ready)
                tell_steps(done.timeline, done.context.run)
            problem = ""
        except StoreUnavailableError as error:
            # Nobody beats for it any more, so the sweep has it begun again, and counts that.
            return Worked(order=claim, problem=Redactor().mask(str(error)))
        except RunbookError as error:
            done, problem = None, Redactor().mask(str(error))
    cut_off = done is not None and done.execution.reason == _CUT_OFF
    if done is not None and not done.execution.complete:
        problem = Redactor().mask(done.execution.reason)
    told = None
    if settings.channels and not cut_off:
        told = notice_of(claim, incidents, settings, problem=problem)
    with connected(dsn) as connection, connection.transaction():
        orders = Orders(connection)
        if cut_off:
            stands = not beats.is_set() and orders.give_back(claim.id, claim.fence)
            problem = "The run was cut off, and its order waits again."
        else:
            stands = orders.finish(claim.id, claim.fence, _result(done, problem))
        if stands and told is not None:
            places = places_of(claim, incidents, settings)
            Notices(connection, settings.channels).put(claim.id, told, places)
        return Worked(order=claim, run=done, problem=problem, replaced=not stands)


def _run(
    claim: KeptOrder, *, incidents: Path, progress: Progress, ready: SpareKernel | None
) -> Run:
    order = Order(
        runbook=Runbook.find(claim.runbook),
        incidents=incidents,
        actor=BY,
        incident=claim.incident,
        parameters=claim.parameters,
    )
    return run(order, progress=progress, ready=ready)


def _result(done: Run | None, problem: str) -> dict[str, str | bool]:
    said = {"problem": problem} if problem else {}
    if done is None:
        return {"verdict": "unknown", **said}
    complete = done.execution.complete
    return {"verdict": str(done.verdict), "run": done.context.run, "complete": complete, **said}


@contextmanager
def _claimed(claim: KeptOrder) -> Iterator[None]:
    """Say to what is written on a shared timeline by whose claim it is, here and in the kernel."""
    os.environ[CLAIM] = str(Claim(claim.id, claim.fence, claim.attempts))
    try:
        yield
    finally:
        del os.environ[CLAIM]


@contextmanager
def _beating(dsn: str, claim: KeptOrder) -> Iterator[threading.Event]:
    """Say while the block runs that it goes on; one that was replaced is ended by a signal.

    The event is set once another claim has replaced this one.
    """
    ends, replaced = threading.Event(), threading.Event()

    def beat() -> None:
        while not ends.wait(BEAT_S):
            try:
                with connected(dsn) as connection:
                    goes_on = Orders(connection).beat(claim.id, claim.fence)
            except StoreUnavailableError:
                continue  # its lines are written where they were; the store may come back
            if not goes_on:
                replaced.set()
                os.kill(os.getpid(), signal.SIGTERM)
                return

    thread = threading.Thread(target=beat, name="beat", daemon=True)
    thread.start()
    try:
        yield replaced
    finally:
        ends.set()
        thread.join(BEAT_S)
