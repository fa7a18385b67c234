"""What tests share: an incident on scripted answers, and one running lab."""

import json
import os
import secrets
import signal
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

from runbook_nb.incident import Incident
from runbook_nb.incident.approval import LIFETIME, parameters_digest
from runbook_nb.incident.context import RunContext
from runbook_nb.incident.place import Place, pass_by
from runbook_nb.incident.plan import Plan
from runbook_nb.incident.screen import Screen
from runbook_nb.incident.statement import signed
from runbook_nb.packs.control_plane.lab.lab import Lab, LabState
from runbook_nb.probes.environment import Environment
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.keys import NO_SEAL, Seal
from runbook_nb.runbook.pack_code import pack_digest
from runbook_nb.runbook.people import People
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.testing import Clock, Responder, Wall, runbook_cells
from runbook_nb.timeline.events import Approved, Started
from runbook_nb.timeline.incidents import declare

# How long an example takes says how busy the machine is, and no more.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
_BEHIND_A_LAB = 5
NOBODY = People()
OPTIONS = ("Option A: Restart", "Option B: Scale out")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have a part of the forms run with the slow tests, another one each day."""
    today = datetime.now(UTC).date().toordinal()
    forms = defaultdict[int, list[pytest.Item]](list)
    for item in items:
        if marker := item.get_closest_marker("forms"):
            forms[marker.kwargs["parts"]].append(item)
    for parts, of_them in forms.items():
        for item in of_them[today % parts :: parts]:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Take Ctrl-C again, which a shell has what it runs in the background ignore."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Night:
    """One incident under test, with its clock and its responder."""

    def __init__(self, folder: Path, **cells: tuple[str, ...]) -> None:
        self.folder, self.clock, self.screen = folder, Clock(), Wall()
        self.cell = ""  # the source of the cell that runs, where a test is about it
        path = folder / "trial.ipynb"
        path.write_text(json.dumps(runbook_cells(**cells)), encoding="utf-8")
        self.runbook = Runbook.read(path)

    def incident(
        self,
        *,
        attended: bool = False,
        kind: str = "lab",
        actor: str = "sam",
        answers: tuple[str, ...] = (),
        option: str = "",
        run: str = "run-1",
        ask: Callable[[str], str] | None = None,
        screen: Screen | None = None,
        reached: Callable[[Place], None] = pass_by,
        systems: dict[str, dict[str, str]] | None = None,
        names: dict[str, object] | None = None,
        people: People = NOBODY,
    ) -> Incident:
        self.environment = Environment("trial", {"kind": kind, **(systems or {})})
        self.timeline = declare(
            self.folder / "incidents",
            incident="INC-1",
            title="Trial",
            severity="SEV3",
            runbook="trial",
            environment="trial",
            by=actor,
            alert=None,
            redactor=Redactor(),
        )
        context = RunContext(
            incidents=self.folder / "incidents",
            incident="INC-1",
            run=run,
            notebook=self.runbook.path,
            actor=actor,
            attended=attended,
            option=option,
        )
        self.responder = Responder(*answers)
        return Incident(
            context=context,
            timeline=self.timeline,
            runbook=self.runbook,
            environment=self.environment,
            parameters={"window_s": 60},
            now=self.clock.now,
            sleep=self.clock.sleep,
            ask=ask or self.responder,
            screen=screen or self.screen,
            running=lambda: self.cell,
            reached=reached,
            plan=Plan(self.runbook, names=lambda: names or {}),
            people=lambda: people,
        )

    def starts(
        self, run: str, *, runbook: str = "trial", by: str = "sam", environment: str = "trial"
    ) -> None:
        began = Started(
            at=self.clock.now(),
            run=run,
            by=by,
            runbook=runbook,
            runbook_digest=self.runbook.digest,
            environment=environment,
            parameters={"window_s": 60},
            attended=False,
        )
        self.timeline.append(began)

    def approve(
        self,
        option: str,
        *,
        by: str = "alex",
        requested_by: str = "sam",
        seal: Seal = NO_SEAL,
        **more,
    ) -> None:
        now = self.clock.now()
        fields = {
            "text": self.runbook.digest,
            "parameters": parameters_digest({"window_s": 60}, environment="trial"),
            "code": pack_digest(self.runbook),
            "expires_at": now + LIFETIME,
            "incident": "INC-1",
            "seen": self.timeline.seen(),
            "nonce": secrets.token_hex(16),
            **more,
        }
        yes = Approved(at=now, by=by, option=option, requested_by=requested_by, **fields)
        self.timeline.append(signed(yes, seal))


@pytest.fixture(scope="session", autouse=True)
def own_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Seal the records of tests with a key of the tests, never with the user's."""
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))
    yield
    os.environ.pop("XDG_CONFIG_HOME")
    if before is not None:
        os.environ["XDG_CONFIG_HOME"] = before


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """A night with two checks, two options and an action under each."""
    return Night(
        tmp_path, checks=("Lag", "Load"), options=OPTIONS, actions=("Restart", "Scale out")
    )


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file in the test's own folder."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def lab() -> Iterator[LabState]:
    """Start a lab of our own in a folder that the server's account can reach."""
    with tempfile.TemporaryDirectory(prefix="runbook-acceptance-") as folder:
        Path(folder).chmod(0o711)
        own = Lab(Path(folder) / "lab")
        before = os.environ.get("RUNBOOK_LAB")
        os.environ["RUNBOOK_LAB"] = str(own.folder)
        try:
            state = own.up()
            # A lab keeps time; it goes first, and what reads it waits.
            os.nice(_BEHIND_A_LAB)
            yield state
        finally:
            own.down()
            os.environ.pop("RUNBOOK_LAB")
            if before is not None:
                os.environ["RUNBOOK_LAB"] = before
