"""The plan: every step of a notebook with its call made and not run, known before any has run.

What a cell said when it ran in this kernel counts; a step whose cell has not run is made of its
text, in the kernel's own names. So every verb works from any state: in a restarted kernel, in a
copy that was opened again, and where a machine began.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar, Final, TypeVar

from runbook_nb.errors import RunbookError, RunbookFormatError, StepNotFoundError, near
from runbook_nb.incident.action_spec import Planned
from runbook_nb.incident.check import Check
from runbook_nb.incident.edits import Edit, edit_between, is_same_cell, master_of
from runbook_nb.probes.calls import Action, Probe
from runbook_nb.probes.limits import Limit
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.step_call import make_call
from runbook_nb.runbook.steps import Step
from runbook_nb.timeline.events import FRESH_S

T = TypeVar("T")

# Where a notebook reads before it decides.
DIAGNOSIS: Final = frozenset({"Immediate Actions", "Diagnosis"})


def kernel_names() -> Mapping[str, Any]:
    """Return the names of the notebook whose kernel this is; none outside of one."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell.user_ns if shell else {}


class Plan:
    """All checks and actions of a notebook by title, none of them run.

    ``runbook`` is its text as it was opened; a copy that was saved since is planned as it stands.
    """

    # What this kernel knows, so that to run the opening cell again forgets nothing.
    _in_this_kernel: ClassVar[dict[tuple[str, ...], "Plan"]] = {}

    @classmethod
    def of_this_kernel(cls, runbook: Runbook, *, opened_with: tuple[str, ...]) -> "Plan":
        """Return the plan that this kernel has for the same text, opened in the same way."""
        return cls._in_this_kernel.setdefault((runbook.digest, *opened_with), cls(runbook))

    def __init__(
        self, runbook: Runbook, *, names: Callable[[], Mapping[str, Any]] = kernel_names
    ) -> None:
        self._runbook, self._names = runbook, names
        self._checks: dict[str, Check] = {}
        self._actions: dict[str, Planned] = {}
        self._saved, self._saved_at = runbook, _saved_at(runbook)

    def keep_check(self, title: str, probe: Probe, **words: Any) -> Check:
        """Keep a check as its cell says it; raises RunbookFormatError for a wrong ``if_failed``."""
        self._checks[title] = self._check(title, probe, **words)
        return self._checks[title]

    def keep_action(self, title: str, action: Action, **words: Any) -> Planned:
        """Keep an action as its cell says it, and return it with what is known of its checks.

        Raises RunbookFormatError if the runbook has none of that title, and StepNotFoundError if
        it has no check that the action names.
        """
        self._actions[title] = self._action(title, action, **words)
        return self._actions[title]

    def check(self, title: str) -> Check:
        """Return a check; raises StepNotFoundError for a title that no check has.

        Raises RunbookFormatError where its cell did not run and its text is no plan.
        """
        if title in self._checks:
            return self._checks[title]
        step = self._step("check", title, self._checks)
        return self._made(self._check, step, edit=self._edit(step))

    def action(self, title: str) -> Planned:
        """Return an action; raises what ``check`` raises."""
        if title in self._actions:
            return self._actions[title]
        step = self._step("act", title, self._actions)
        return self._made(self._action, step, changed=self._edit(step) is not None)

    def action_if_known(self, title: str) -> Action | None:
        """Return an action by its title; None where there is none, or it cannot be told."""
        if title in self._actions:
            return self._actions[title].action
        step = self._text().step("act", title)
        try:
            made = make_call(step, self._names()).positional[1:2] if step else ()
        except RunbookError:
            return None
        return made[0] if made and isinstance(made[0], Action) else None

    def diagnosis(self) -> list[Check]:
        """Return the checks that come before the decision, in order, as far as they can be told."""
        found = []
        for step in self._text().steps:
            if step.verb == "check" and step.section in DIAGNOSIS:
                try:
                    found.append(self.check(step.title))
                except RunbookError:
                    continue
        return found

    def problems(self) -> list[str]:
        """Say of each check and action that cannot be planned why, a sentence each."""
        found = []
        for step in self._text().steps:
            try:
                if step.verb == "check":
                    self.check(step.title)
                elif step.verb == "act":
                    self.action(step.title)
            except RunbookError as error:
                found.append(str(error))
        # An action that waits for a check's cell says what the check says.
        return list(dict.fromkeys(found))

    def _check(
        self,
        title: str,
        probe: Probe,
        *,
        expect: Limit,
        fail: Limit | None = None,
        if_failed: str,
        fresh: timedelta = timedelta(seconds=FRESH_S),
        covered: bool,
        edit: Edit | None = None,
    ) -> Check:
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
        return Check(
            title=title,
            probe=probe,
            expect=expect,
            fail=fail,
            if_failed=if_failed,
            fresh=fresh,
            covered=covered,
            edit=edit,
        )

    def _action(
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
        if not isinstance(action, Action):
            message = f"act({title!r}) does an action, not {action!r}."
            raise TypeError(message)
        step = self._runbook.step("act", title)
        if step is None:
            message = f"{self._runbook.name} has no action titled {title!r}."
            raise RunbookFormatError(message)
        names = (because,) if isinstance(because, str) else tuple(because)
        uncovered = [name for name in names if not self.check(name).covered]
        return Planned(
            title=title,
            action=action,
            option=step.option,
            because=names,
            risk=risk,
            undo=undo,
            changed=changed,
            uncovered=(*([] if covered else [title]), *uncovered),
        )

    def _made(self, make: Callable[..., T], step: Step, **known: Any) -> T:
        """Make a step of its text."""
        call = make_call(step, self._names())
        opened = self._runbook.step(step.verb, step.title)
        covered = opened is not None and is_same_cell(opened.source, step.source)
        try:
            return make(*call.positional, **call.named, **known, covered=covered)
        except TypeError as error:
            message = (
                f"The {step.verb} {step.title!r} under {step.heading!r} is not written as one: "
                f"{error}"
            )
            raise RunbookFormatError(message) from None

    def _step(self, verb: str, title: str, known: Iterable[str]) -> Step:
        step = self._text().step(verb, title)
        if step is None:
            titles = [each.title for each in self._text().steps if each.verb == verb]
            message = (
                f"No {verb} titled {title!r} is in {self._runbook.name}. "
                f"{near(title, dict.fromkeys([*titles, *known]))}"
            )
            raise StepNotFoundError(message)
        return step

    def _edit(self, step: Step) -> Edit | None:
        return edit_between(self._master, step.verb, step.title, step.source)

    def _text(self) -> Runbook:
        """Return the notebook as it was saved last; one that is being saved is as it was before."""
        saved_at = _saved_at(self._runbook)
        if saved_at != self._saved_at:
            try:
                self._saved = Runbook.read(self._runbook.path)
            except (RunbookError, OSError):
                return self._saved
            self._saved_at = saved_at
        return self._saved

    @cached_property
    def _master(self) -> Runbook:
        return master_of(self._runbook)


def _saved_at(runbook: Runbook) -> tuple[int, int]:
    try:
        found = runbook.path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
