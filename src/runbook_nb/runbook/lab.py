"""What a lab is to the engine: a twin of a platform that can be started, broken and healed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runbook_nb.text.values import Json


@dataclass(frozen=True, kw_only=True)
class LabPart:
    """A part of a lab: whether its process runs, and whether it answers."""

    name: str
    running: bool
    answers: bool

    @property
    def up(self) -> bool:
        """Tell whether the part can be used; a halted process runs but does not answer."""
        return self.running and self.answers


@dataclass(frozen=True, kw_only=True)
class LabStatus:
    """A lab that was started, as it is now.

    ``started`` stays true for one that is slow or sick: it is for a runbook to find out why, and a
    fresh start would throw away what it is to look at. ``address`` is where a person looks first.
    """

    parts: Sequence[LabPart]
    started: bool
    ports: Mapping[str, int] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A failure of a lab, made from outside and never by a flag that a probe could read.

    ``inject`` returns once the failure is really there. ``heal`` restores health whatever was
    done meanwhile, and may be called again, or when nothing was injected. Both raise LabError
    when they cannot.
    """

    name: str
    title: str
    inject: Callable[[], None]
    heal: Callable[[], None]


class Lab(Protocol):
    """A staging twin that this machine starts and ends by itself, in ``lab_folder()``.

    While it runs, the environment ``lab`` is described there: see ``write_lab_settings``.
    """

    def up(self, *, progress: Callable[[str], None]) -> LabStatus:
        """Return the running lab, started if it was not; ``progress`` is told each step in words.

        Raises LabError that says why it cannot start; then no part of it is left running.
        """

    def down(self) -> None:
        """End every process of the lab and delete its data; nothing is done where none runs."""

    def status(self) -> LabStatus | None:
        """Look at every part now; None where none was started."""

    def faults(self) -> Mapping[str, Fault]:
        """Return the faults by name."""

    def wait_for_alerts(self) -> Mapping[str, Json]:
        """Wait until an alert fires; return what fires as Alertmanager's webhook carries it.

        Its ``alerts`` are empty when time is up.
        """

    def wait_until_quiet(self) -> Sequence[str]:
        """Wait until no alert fires; return the names of what is still wrong when time is up."""
