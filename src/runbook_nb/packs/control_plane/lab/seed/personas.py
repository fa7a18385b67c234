"""Which missions there are at `now`: four weeks of past ones, and the eight that run."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.missions import (
    Mission,
    MissionPlan,
    Span,
    Status,
    Tenant,
    is_every,
)
from runbook_nb.packs.control_plane.lab.seed.randomness import Chance
from runbook_nb.packs.control_plane.lab.seed.schedule import MISSIONS_A_WEEK, creation_times
from runbook_nb.packs.control_plane.lab.seed.vocabulary import STAGES, THEMES, Stage

LIVE_AGENTS = (
    *("executor", "validator", "evidence", "executor"),
    *("inspector", "executor", "validator", "evidence"),
)

COMPLETED = MissionPlan(status=Status.COMPLETED, stage=Stage.REFLECT)
LIVE = MissionPlan(status=Status.IN_PROGRESS, stage=Stage.EXECUTE)
_DRAFT = MissionPlan(status=Status.DRAFT, stage=Stage.DEFINE)

# The newest missions in turn: what a board shows on a normal day. A mission in progress waits
# for a person in all of these; only the live ones execute.
_NEWEST = (
    MissionPlan(status=Status.DRAFT, stage=Stage.HOME),
    COMPLETED,
    MissionPlan(status=Status.READY, stage=Stage.PREPARE),
    MissionPlan(status=Status.IN_PROGRESS, stage=Stage.APPROVE),
    COMPLETED,
    _DRAFT,
    MissionPlan(status=Status.IN_PROGRESS, stage=Stage.PLAN),
    COMPLETED,
    MissionPlan(status=Status.READY, stage=Stage.PLAN),
    MissionPlan(status=Status.IN_PROGRESS, stage=Stage.REFLECT),
)
_NEWEST_COUNT = 20
_BLOCKED_RUN = 12

# Nothing may happen in the last minutes but what the live missions do: a past beat in the
# window of a heartbeat check would mix the platform's 30 s cadence with the lab's.
QUIET = timedelta(minutes=20)

# What happens in a stage that waits for a person happens within this time of its start.
_OPENING = timedelta(minutes=15)


def cast_past(
    chance: Chance, *, tenants: Sequence[Tenant], personas: Mapping[str, str], now: datetime
) -> list[Mission]:
    """Draw the missions that do not run, oldest first; `personas` maps names to ids."""
    missions = []
    times = creation_times(chance, now=now)
    for number, created_at in enumerate(times):
        planned = _standing(number, newest_from=len(times) - _NEWEST_COUNT)
        lengths = _stage_lengths(chance)
        standing, spans = _spans(planned, lengths, created_at=created_at, now=now)
        missions.append(
            _cast(
                chance,
                number,
                chance.random.choice(tenants),
                personas,
                standing=standing,
                spans=spans,
                agent=None,
            )
        )
    return missions


def cast_live(
    chance: Chance, *, tenants: Sequence[Tenant], personas: Mapping[str, str], now: datetime
) -> list[Mission]:
    """Draw the missions that run, numbered after those that do not."""
    first = sum(MISSIONS_A_WEEK)
    return [
        _cast(
            chance,
            first + position,
            tenants[(first + position) % len(tenants)],
            personas,
            standing=LIVE,
            spans=_live_spans(chance, position, now=now),
            agent=agent,
        )
        for position, agent in enumerate(LIVE_AGENTS)
    ]


def _standing(number: int, *, newest_from: int) -> MissionPlan:
    if number >= newest_from:
        return _NEWEST[(number - newest_from) % len(_NEWEST)]
    # One blocked run among more than two hundred, and an old one: success stays above 99 %.
    if number == _BLOCKED_RUN:
        return MissionPlan(status=Status.BLOCKED, stage=Stage.EXECUTE)
    if is_every(number, 49, first=20):
        return MissionPlan(status=Status.BLOCKED, stage=Stage.APPROVE)
    if is_every(number, 25, first=5):
        return _DRAFT
    if is_every(number, 8, first=3) and number < newest_from // 2:
        return MissionPlan(status=Status.ARCHIVED, stage=Stage.REFLECT)
    return COMPLETED


def _stage_lengths(chance: Chance) -> dict[Stage, timedelta]:
    hours = chance.log_normal(median=0.8, sigma=0.9, low=0.2, high=20)
    minutes = chance.log_normal(median=5, sigma=0.45, low=2.5, high=14)
    return {
        Stage.HOME: chance.seconds(40, 170),
        Stage.DEFINE: chance.seconds(240, 900),
        Stage.PREPARE: chance.seconds(190, 320),
        Stage.PLAN: chance.seconds(180, 600),
        Stage.APPROVE: timedelta(seconds=round(hours * 3600)),
        Stage.EXECUTE: timedelta(seconds=round(minutes * 60)),
        Stage.REFLECT: chance.seconds(600, 7200),
    }


def _spans(
    planned: MissionPlan,
    lengths: Mapping[Stage, timedelta],
    *,
    created_at: datetime,
    now: datetime,
) -> tuple[MissionPlan, dict[Stage, Span]]:
    """Lay the stages out; a mission for whose standing there was no time yet is still a draft."""
    ends = planned.status in (Status.COMPLETED, Status.ARCHIVED)
    spans: dict[Stage, Span] = {}
    start = created_at
    for stage in STAGES[: STAGES.index(planned.stage) + 1]:
        # A blocked run has ended too: nothing executes in it any more.
        open_ended = stage is planned.stage and not ends and stage is not Stage.EXECUTE
        spans[stage] = Span(start=start, end=None if open_ended else start + lengths[stage])
        start += lengths[stage]
    last = spans[planned.stage]
    if (last.end or last.start + _OPENING) <= now - QUIET:
        return planned, spans
    return _spans(_DRAFT, lengths, created_at=created_at, now=now)


def _live_spans(chance: Chance, position: int, *, now: datetime) -> dict[Stage, Span]:
    lengths = _stage_lengths(chance)
    lengths[Stage.APPROVE] = chance.seconds(1200, 7200)
    # Between 2 and 9.5 minutes ago, evenly spread, so that no minute is without an event.
    execution_start = now - timedelta(seconds=570 - 64 * position) + chance.seconds(0, 20)
    stages = STAGES[: STAGES.index(Stage.EXECUTE)]
    start = execution_start - sum((lengths[stage] for stage in stages), timedelta())
    spans = {}
    for stage in stages:
        spans[stage] = Span(start=start, end=start + lengths[stage])
        start += lengths[stage]
    spans[Stage.EXECUTE] = Span(start=start, end=None)
    return spans


def _cast(
    chance: Chance,
    number: int,
    tenant: Tenant,
    personas: Mapping[str, str],
    *,
    standing: MissionPlan,
    spans: Mapping[Stage, Span],
    agent: str | None,
) -> Mission:
    theme = chance.random.choice(THEMES)
    title = f"{chance.random.choice(theme.verbs)} {chance.random.choice(theme.objects)}"
    return Mission(
        id=chance.id(),
        number=number,
        tenant=tenant,
        persona_id=personas[theme.persona],
        theme=theme,
        title=title,
        owner_id=chance.random.choice(tenant.owners),
        approver_id=chance.random.choice(tenant.approvers),
        priority=chance.random.choices(("low", "normal", "high"), weights=(2, 6, 2))[0],
        standing=standing,
        spans=spans,
        play_ids=(chance.id(), chance.id()),
        undo_plan_id=chance.id(),
        live_agent=agent,
    )
