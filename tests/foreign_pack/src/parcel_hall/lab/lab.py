"""The lab: starts and ends the hall, and watches it as the hall's monitoring does."""

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from parcel_hall.alerts import ALERTS, HallAlert
from parcel_hall.exposition import samples
from parcel_hall.lab.faults import faults_of
from parcel_hall.lab.plant import hall, hallctl, scanner
from parcel_hall.lab.programs import Program, tries
from runbook_nb import (
    Fault,
    LabError,
    LabPart,
    LabStatus,
    forget_lab_settings,
    lab_folder,
    write_lab_settings,
)

CALM_S = 1.5  # a healthy parcel leaves the belt in less


class HallLab:
    """The hall in this user's folder for labs."""

    def __init__(self) -> None:
        self._folder = lab_folder()
        self._hall = Program(name="hall", source=hall.__file__, folder=self._folder)
        self._scanner = Program(name="scanner", source=scanner.__file__, folder=self._folder)

    def up(self, *, progress: Callable[[str], None]) -> LabStatus:
        """Start the hall and its scanner; raises LabError where they do not work in time."""
        state = self.status()
        if state and state.started:
            return state
        self.down()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        progress("Starting the hall and a scanner.")
        token = self._folder / "panel.token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_urlsafe(32), encoding="utf-8")
        self._hall.start()
        for _ in tries():
            if self._hall.told():
                break
        else:
            self.down()
            message = "The hall did not start within a minute."
            raise LabError(message)
        self._scanner.start(self._url())
        for _ in tries():
            if self._scanner.told():
                break
        write_lab_settings(self._folder, self._settings(token))
        if wrong := self.wait_until_quiet():
            self.down()
            message = f"The hall started and is not well: {', '.join(wrong)}."
            raise LabError(message)
        state = self.status()
        assert state is not None
        return state

    def down(self) -> None:
        """End both programs by their ids, and delete what they left."""
        forget_lab_settings(self._folder)
        self._scanner.end()
        self._hall.end()
        for name in ("hall.db", "hall.db-journal", "panel.token", "notices.jsonl"):
            (self._folder / name).unlink(missing_ok=True)
        shutil.rmtree(self._folder / "bin", ignore_errors=True)

    def status(self) -> LabStatus | None:
        """Look at both programs; None where none was started."""
        told = self._hall.told()
        if told is None:
            return None
        runs, reads = self._hall.is_running(), self._scanner.is_running()
        parts = [
            LabPart(name="hall", running=runs, answers=runs and self._answers()),
            LabPart(name="scanner", running=reads, answers=reads),
        ]
        address = f"{self._url()}/metrics"
        return LabStatus(parts=parts, started=runs, ports={"hall": told["port"]}, address=address)

    def faults(self) -> Mapping[str, Fault]:
        """Return the faults by name."""
        return faults_of(self._folder / "hall.db", self._scanner)

    def wait_for_alerts(self) -> Mapping[str, Any]:
        """Wait until a figure of the belt is above the limit of an alert."""
        firing: list[HallAlert] = []
        for _ in tries():
            text = self._metrics()
            firing = [alert for alert in ALERTS if _worst(text, alert.figure) > alert.above]
            if firing:
                break
        return {"version": "4", "status": "firing", "alerts": [_payload(each) for each in firing]}

    def wait_until_quiet(self) -> Sequence[str]:
        """Wait until every parcel leaves the belt at once; return what is wrong if it does not."""
        wrong: list[str] = []
        for _ in tries():
            text = self._metrics()
            slow = _worst(text, "hall_longest_round_seconds") > CALM_S
            unread = _worst(text, "hall_parcels_unscanned") > CALM_S / hall.EVERY_S
            wrong = ["parcels go round"] * slow + ["labels are not read"] * unread
            if not wrong:
                break
        return wrong

    def _settings(self, token: Path) -> dict[str, dict[str, str | int]]:
        command = self._folder / "bin" / "hallctl"
        command.parent.mkdir(exist_ok=True)
        shutil.copyfile(hallctl.__file__, command)
        command.chmod(0o755)
        return {
            "hall": {"url": self._url(), "token": f"file:{token}"},
            "belt": {"reader": f"sqlite:///{self._folder / 'hall.db'}"},
            "fleet": {"program": str(command)},
            "board": {"url": self._url()},
        }

    def _metrics(self) -> str:
        try:
            answer = httpx.get(f"{self._url()}/metrics", trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            message = f"The hall does not answer: {error}. Start it: runbook lab up"
            raise LabError(message) from error
        return answer.text

    def _answers(self) -> bool:
        try:
            self._metrics()
        except LabError:
            return False
        return True

    def _url(self) -> str:
        told = self._hall.told()
        if told is None:
            message = "The hall is not running. Start it with: runbook lab up"
            raise LabError(message)
        return f"http://127.0.0.1:{told['port']}"


def _worst(text: str, figure: str) -> float:
    return max(sample.value for sample in samples(text, figure))


def _payload(alert: HallAlert) -> dict[str, Any]:
    """Return an alert as Alertmanager's webhook carries it."""
    return {
        "status": "firing",
        "labels": {"alertname": alert.name, "severity": "P2", "environment": "lab"},
        "annotations": {"summary": alert.summary},
        "startsAt": datetime.now(UTC).isoformat(),
        "fingerprint": sha256(alert.name.encode()).hexdigest()[:16],
    }
