"""The verbs of a runbook, all on one object: ``incident.<TAB>`` shows the whole language."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from runbook_nb.incident.actor import Actor
from runbook_nb.incident.approval import parameters_digest
from runbook_nb.incident.asking import announced
from runbook_nb.incident.board import Board, is_stale
from runbook_nb.incident.cards import Card
from runbook_nb.incident.cards.describe import face
from runbook_nb.incident.check import Check, read_evidence
from runbook_nb.incident.choice import choose_by_hand
from runbook_nb.incident.consent import Consent
from runbook_nb.incident.context import RunContext
from runbook_nb.incident.edits import CellTexts, master_of, running_cell
from runbook_nb.incident.join import Joined, is_known, join, started
from runbook_nb.incident.live_run import LiveRun
from runbook_nb.incident.place import Place, pass_by
from runbook_nb.incident.plan import Plan
from runbook_nb.incident.readings import STANDS_S, Readings
from runbook_nb.incident.recommend import choose, own_checks, stale_titles, with_begun
from runbook_nb.incident.refusal import Refusals
from runbook_nb.incident.screen import NotebookScreen, Screen
from runbook_nb.incident.settle import Settler
from runbook_nb.incident.stop import RunStopped
from runbook_nb.incident.verification import RepeatedCheck
from runbook_nb.probes.calls import Action, Probe
from runbook_nb.probes.environment import Environment
from runbook_nb.probes.limits import Limit
from runbook_nb.runbook.pack_code import running_code
from runbook_nb.runbook.people import People, read_people
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.text.durations import words
from runbook_nb.text.values import Json
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    FRESH_S,
    Asked,
    Checked,
    Decided,
    Event,
    Evidence,
    Noted,
    Outcome,
    Stopped,
    Verified,
)
from runbook_nb.timeline.writer import WritableTimeline

E = TypeVar("E", bound=Event)


class Incident:
    """One run of a runbook within an incident.

    Clock, sleep, prompt and screen come in from outside, so that tests bring their own.
    """

    def __init__(
        self,
        *,
        context: RunContext,
        timeline: WritableTimeline,
        runbook: Runbook,
        environment: Environment,
        parameters: Mapping[str, Json],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
        ask: Callable[[str], str] = input,
        screen: Screen | None = None,
        running: Callable[[], str] = running_cell,
        plan: Plan | None = None,
        reached: Callable[[Place], None] = pass_by,
        people: Callable[[], People] = read_people,
    ) -> None:
        self.timeline = timeline
        self._context, self._runbook, self._environment = context, runbook, environment
        self._now, self._sleep, self._ticks, self._ask = now, sleep, ticks, ask
        self.plan = plan or Plan(runbook)
        self._readings = Readings(environment, now=now)
        self._seen: int | None = None  # events that the diagnosis was held against
        self._live = LiveRun(
            context=context,
            environment=environment,
            timeline=timeline,
            runbook=runbook,
            cells=CellTexts(running=running, opened=runbook, master=master_of(runbook)),
            screen=screen or NotebookScreen(attended=context.attended),
            now=now,
            reached=reached,
        )
        approved_for = parameters_digest(parameters, environment=environment.name)
        consent = Consent(
            live=self._live,
            parameters=approved_for,
            ask=ask,
            code=partial(running_code, runbook),
            people=people,
        )
        self._settler = Settler(live=self._live, ask=ask, action=self.plan.action_if_known)
        self._actor = Actor(
            live=self._live,
            consent=consent,
            settler=self._settler,
            refusals=Refusals(live=self._live, reread=self._reread),
        )

    @classmethod
    def open(
        cls,
        incident_id: str,
        *,
        runbook: str,
        environment: str,
        parameters: Mapping[str, Json] | None = None,
    ) -> "Incident":
        """Open the incident, or join it if it is open; raises IncidentStateError when closed.

        Called by the second cell of every runbook. The rest of the context comes from the
        command that started the kernel.
        """
        context = RunContext.from_environ(os.environ, incident=incident_id, runbook=runbook)
        joined = join(context, environment=environment)
        digest = parameters_digest(parameters or {}, environment=environment)
        plan = Plan.of_this_kernel(joined.runbook, opened_with=(context.incident, digest))
        place = context.folder.incidents.asked(context.incident, context.notebook.stem)
        ask = announced(input, place=place, by=context.actor)
        return cls.begin(context, joined, parameters=parameters or {}, plan=plan, ask=ask)

    @classmethod
    def begin(
        cls,
        context: RunContext,
        joined: Joined,
        *,
        parameters: Mapping[str, Json],
        plan: Plan,
        ask: Callable[[str], str] = input,
        screen: Screen | None = None,
    ) -> "Incident":
        """Begin a run in an incident that was joined, or go on with one that began before."""
        incident = cls(
            context=context,
            timeline=joined.timeline,
            runbook=joined.runbook,
            environment=joined.environment,
            parameters=parameters,
            plan=plan,
            ask=ask,
            screen=screen,
        )
        with incident._live.step("open"):
            began = started(context, joined, parameters=parameters)
            if not is_known(joined.timeline, began):
                incident._live.record(began)
            for problem in plan.problems():
                incident._live.screen.say(problem)
        return incident

    def check(
        self,
        title: str,
        probe: Probe,
        *,
        expect: Limit,
        fail: Limit | None = None,
        if_failed: str,
        fresh: timedelta = timedelta(seconds=FRESH_S),
    ) -> Card:
        """Read a probe, judge the answer, record both, and show the verdict.

        The first check of a run has the whole diagnosis read side by side. Between ``expect`` and
        ``fail`` the verdict is warn. A probe that raises or takes too long gives unknown.
        ``if_failed`` names the heading to go to. After ``fresh`` the reading is stale.
        """
        with self._live.step("check", title) as step:
            check = self.plan.keep_check(
                title,
                probe,
                expect=expect,
                fail=fail,
                if_failed=if_failed,
                fresh=fresh,
                covered=step.covered,
                edit=step.edit,
            )
            self._live.working(f"reads, at most {words(check.probe.timeout_s)}.")
            return step.written(self._read(check, evidence=self._read_beside(check)))

    def decide(self, option: str | None = None, reason: str | None = None) -> Card:
        """Rank the options by the verdicts and record the choice.

        A responder is asked, and may choose another option than the recommended one with a
        ``reason``; unattended the recommended one is taken. Readings of an earlier run of this
        incident count until they are read anew. With no failed check nothing is chosen, and the
        related runbooks are named.
        """
        if self._context.option:
            option = self._context.option
            reason = reason or f"Chosen beforehand by {self._context.actor}."
        with self._live.step("decide") as step:
            # What was begun may be why the checks pass now.
            self._settler.try_to_settle()
            checks = own_checks(
                self.timeline, self._runbook, run=self._run, environment=self._environment.name
            )
            if self._context.attended and option is None:
                before = self._decided()
                say = self._live.screen.say
                other = choose_by_hand(self._runbook, checks, before=before, ask=self._ask, say=say)
                option, reason = other or (None, reason)
            chosen = with_begun(
                choose(self._runbook, checks, option=option, reason=reason), self._settler.open()
            )
            stale = stale_titles(checks, now=self._now())
            return step.written(Decided(**self._live.stamp(), **chosen, stale=stale))

    def act(
        self,
        title: str,
        action: Action,
        *,
        because: str | tuple[str, ...],
        risk: str,
        undo: str,
    ) -> Card:
        """Do an action if it is chosen, still called for, and approved; else say why not.

        ``because`` names the checks that call for it; they are read again first. Raises
        ActionError if it fails, after that is recorded.
        """
        with self._live.step("act", title) as step:
            planned = self.plan.keep_action(
                title,
                action,
                because=because,
                risk=risk,
                undo=undo,
                changed=step.edit is not None,
                covered=step.covered,
            )
            self._readings.drop()
            return step.card(self._actor.act(planned))

    def verify(self, title: str, *, within: timedelta, readings: int = 1) -> Card:
        """Repeat a check until it has passed ``readings`` times in a row, or time is up.

        Where no action is done that was not undone since, it does not wait: a fresh reading of
        this run stands, once, if nothing may have changed since; else it reads once.
        """
        check = self.plan.check(title)
        verification = RepeatedCheck(
            read=lambda: self._read(check),
            ticks=self._ticks,
            sleep=self._sleep,
            waits=self._waits,
        )
        with self._live.step("verify", title, rests_on=check.edit) as step:
            if queries.standing(self._live.own_events()) or self._settler.open():
                found = verification.run(within=within, readings=readings)
            else:
                found = verification.look(self._still_fresh(check))
            return step.written(Verified(**self._live.stamp(), title=title, **found))

    def undo(self, title: str) -> Card:
        """Take back a done action, newest first, and read its checks again.

        It needs the same consent as an action: a typed word, or an approval that names the undo.
        """
        planned = self.plan.action(title)
        with self._live.step("undo", title) as step:
            self._readings.drop()
            undone = self._actor.undo(planned)
            for name in planned.because if undone.outcome is Outcome.DONE else ():
                self._reread(name)
            return step.card(undone)

    def ask(self, question: str, *, owner: str) -> Card:
        """Put a manual step to the responder; unattended it stays open for ``owner``.

        An answer stands until another one is given. A step under an option that was not chosen is
        skipped.
        """
        known = self._runbook.step("ask", question)
        decided = self._decided()
        put: dict[str, Any] = {"question": question, "owner": owner}
        with self._live.step("ask", question) as step:
            if known and known.option and (decided is None or decided.option != known.option):
                skipped = f"{known.option!r} was not chosen."
                return step.card(Asked(**self._live.stamp(), **put, skipped=skipped))
            before = self.timeline.last(Asked, question=question)
            answer = self._answer(question, before) if self._context.attended else None
            if not answer and before and before.answer:
                return step.card(before)
            asked = Asked(**self._live.stamp(), **put, answer=answer or None)
            return step.written(asked)

    def note(self, text: str, *, runbook: bool = False) -> Card:
        """Add words to the timeline; ``runbook=True`` proposes an edit of the runbook.

        Words that begin with told, called, posted, paged or escalated count as an update.
        """
        with self._live.step("note") as step:
            return step.written(Noted(**self._live.stamp(), text=text, runbook=runbook))

    def stop(self, reason: str) -> None:
        """End the run early, with meaning; not an error."""
        self._readings.drop()
        with self._live.step("stop"):
            raise RunStopped(self._live.record(Stopped(**self._live.stamp(), reason=reason)).reason)

    @property
    def board(self) -> Board:
        """The board as it stands now."""
        return self._live.board()

    def _answer(self, question: str, before: Asked | None) -> str:
        """Let the responder say what was done; nothing is sent from here."""
        said = "Do it, then say here what you did. Empty leaves it open: "
        if before and before.answer:
            when = f"{before.at:%H:%M:%SZ} by {before.by}"
            said = f"Answered at {when}: {before.answer!r}. Say more, or Enter to leave it so: "
        return self._ask(f"{question} {said}").strip()

    def _decided(self) -> Decided | None:
        return queries.decided_in(self._live.own_events(), self._runbook.name, run=self._run)

    @property
    def _run(self) -> str:
        return self._context.run

    def _read(self, check: Check, *, evidence: Evidence | None = None) -> Checked:
        """Judge what was read already, or what its probe answers now."""
        found = evidence or read_evidence(check.probe, self._environment, read_at=self._now())
        return check.judged(found, at=self._now(), run=self._run, by=self._context.actor)

    def _waits(self, checked: Checked, left_s: float) -> None:
        """Show the last reading of a verification that goes on."""
        found = face(checked)
        shown = f"{checked.evidence.read_at:%H:%M:%SZ} {found.sign} {found.word} {found.lead}."
        self._live.screen.working(f"{shown} Reads again, {words(round(left_s))} left at most.")

    def _reread(self, title: str) -> Checked:
        """Read a check again because an action depends on it."""
        check = self.plan.check(title)
        self._live.tell_edit("check", title, check.edit)
        return self._live.record(replace(self._read(check), purpose="because"))

    def _read_beside(self, check: Check) -> Evidence | None:
        """Return what was read with the rest of the diagnosis, if it still holds for a check."""
        if self._seen is None:
            self._seen = len(self.timeline)
            self._readings.begin([each.probe for each in self.plan.diagnosis()])
        since = self.timeline[self._seen :]
        self._seen += len(since)
        if queries.may_have_changed(since):
            self._readings.drop()
        evidence = self._readings.take(check.probe)
        stale = evidence is not None and self._now() - evidence.read_at > check.fresh
        return None if stale else evidence

    def _still_fresh(self, check: Check) -> Checked | None:
        """Return the reading of this run that stands for a check as it is planned now."""
        checked = self.timeline.last(Checked, run=self._run, title=check.title)
        if checked is None or is_stale(checked, now=self._now()):
            return None
        # A person may have done what no timeline tells, and looks whether it helped.
        age = self._now() - checked.evidence.read_at
        if self._context.attended and age.total_seconds() > STANDS_S:
            return None
        since = queries.after(self.timeline, checked)
        if queries.may_have_changed(since) or queries.last(since, Verified, title=check.title):
            return None
        asked = (checked.evidence.question, checked.expect, checked.fail)
        same = asked == (str(check.probe), str(check.expect), str(check.fail or ""))
        return checked if same else None
