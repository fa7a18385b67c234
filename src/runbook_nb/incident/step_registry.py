"""The steps that this kernel knows: what their cells said when they ran."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from runbook_nb.errors import RunbookFormatError, StepNotFoundError, near
from runbook_nb.incident.action_spec import Planned
from runbook_nb.incident.cell_action import action_of_cell, kernel_names
from runbook_nb.incident.check import Check
from runbook_nb.probes.calls import Action, Probe
from runbook_nb.probes.limits import Limit
from runbook_nb.runbook.runbook import Runbook


class KnownSteps:
    """Checks and actions by title, each as its cell wrote it last.

    A probe lives only in the kernel that ran its cell; after a restart it has to run again.
    """

    # What this kernel knows, so that to run the opening cell again forgets nothing.
    _in_this_kernel: ClassVar[dict[tuple[str, ...], "KnownSteps"]] = {}

    @classmethod
    def of_this_kernel(cls, runbook: Runbook, *, opened_with: tuple[str, ...]) -> "KnownSteps":
        """Return the steps known to this kernel for the same text, opened in the same way."""
        return cls._in_this_kernel.setdefault((runbook.digest, *opened_with), cls(runbook))

    def __init__(
        self, runbook: Runbook, *, names: Callable[[], Mapping[str, Any]] = kernel_names
    ) -> None:
        self._runbook, self._names = runbook, names
        self._checks: dict[str, Check] = {}
        self._planned: dict[str, Planned] = {}

    def keep_check(
        self,
        title: str,
        probe: Probe,
        *,
        expect: Limit,
        fail: Limit | None,
        if_failed: str,
        fresh: timedelta,
        covered: bool,
    ) -> Check:
        """Keep a check; raises RunbookFormatError if ``if_failed`` names no heading."""
        if not isinstance(probe, Probe):
            message = f"check({title!r}) reads a probe, not {probe!r}."
            raise TypeError(message)
        if not isinstance(fresh, timedelta):
            message = f"check({title!r}): fresh={fresh!r} is no duration, such as minutes(5)."
            raise TypeError(message)
        if if_failed not in self._runbook.headings:
            message = (
                f"{title!r}: if_failed={if_failed!r} is no heading of {self._runbook.name}. "
                f"{near(if_failed, self._runbook.options())}"
            )
            raise RunbookFormatError(message)
        self._checks[title] = Check(
            title=title,
            probe=probe,
            expect=expect,
            fail=fail,
            if_failed=if_failed,
            fresh=fresh,
            covered=covered,
        )
        return self._checks[title]

    def keep_action(
        self,
        title: str,
        action: Action,
        *,
        because: str | Iterable[str],
        risk: str,
        undo: str,
        changed: bool,
        covered: bool,
    ) -> Planned:
        """Keep an action and return it with what is known of its checks.

        Raises RunbookFormatError if the runbook has none of that title, and StepNotFoundError if
        a check of it has not run.
        """
        if not isinstance(action, Action):
            message = f"act({title!r}) does an action, not {action!r}."
            raise TypeError(message)
        step = self._runbook.step("act", title)
        if step is None:
            message = f"{self._runbook.name} has no action titled {title!r}."
            raise RunbookFormatError(message)
        names = (because,) if isinstance(because, str) else tuple(because)
        planned = self._planned[title] = Planned(
            title=title,
            action=action,
            option=step.option,
            because=names,
            risk=risk,
            undo=undo,
            changed=changed,
        )
        uncovered = [name for name in names if not self.check(name).covered]
        return replace(planned, uncovered=(*([] if covered else [title]), *uncovered))

    def check(self, title: str) -> Check:
        """Return a check whose cell has run; raises StepNotFoundError with the cell to run."""
        if title not in self._checks:
            raise StepNotFoundError(self._not_run("check", title, self._checks))
        return self._checks[title]

    def action(self, title: str) -> Planned:
        """Return an action whose cell has run; raises StepNotFoundError with those that have."""
        if title not in self._planned:
            raise StepNotFoundError(self._not_run("act", title, self._planned))
        return self._planned[title]

    def action_if_known(self, title: str) -> Action | None:
        """Return an action by its title, also of a cell that has not run yet; None for no such."""
        planned = self._planned.get(title)
        return planned.action if planned else action_of_cell(self._runbook, title, self._names)

    def _not_run(self, verb: str, title: str, known: Iterable[str]) -> str:
        """Say which cell to run first; a title that no cell has is named with those that ran."""
        step = self._runbook.step(verb, title)
        if step is None:
            return f"No {verb} titled {title!r} is in {self._runbook.name}. {near(title, known)}"
        # To know an action again it need not be done again.
        unless = " without confirming it" if verb == "act" else ""
        return (
            f"The {verb} {title!r} has not run in this kernel. "
            f"Run the cell under {step.heading!r} first{unless}, then this one again."
        )
