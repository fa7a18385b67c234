"""Releases in other shapes: young, long after, for one tenant, blocking, slow; and good ones."""

from collections.abc import Sequence
from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import (
    beside,
    change,
    row_fault,
    statement_fault,
    take_back,
)
from runbook_nb.packs.control_plane.lab.faults.machines import canary_on_one_of_three, heal_machines
from runbook_nb.packs.control_plane.lab.faults.outside import fly, release
from runbook_nb.packs.control_plane.lab.faults.release_deploys import deploy_interface
from runbook_nb.packs.control_plane.lab.faults.releases import heal_release
from runbook_nb.packs.control_plane.lab.faults.shapes import (
    EVENTS,
    LIVE,
    ONE_TENANT,
    OTHER_TENANT,
    events,
    released,
)
from runbook_nb.packs.control_plane.lab.release import COMMIT, labelled
from runbook_nb.packs.control_plane.lab.state import LabState

_NAME: Final = "v51"
_OTHER_COMMIT: Final = "8602d45"
_FLAGS: Final = statement_fault(
    "flag_on",
    "A flag is on for everybody",
    inject=[
        (
            "create table if not exists feature_flags "
            "(flag_name text primary key, enabled boolean not null)"
        ),
        "alter table feature_flags enable row level security",
        (
            "insert into feature_flags values ('planner_step3', true), ('pdf_export', true) "
            "on conflict do nothing"
        ),
    ],
    heal=["drop table if exists feature_flags"],
)
_BLOCKED: Final = f"(select id from {LIVE} where n in (1, 2, 5))"
_BLOCK: Final = (
    (
        "update mission_sessions set status = 'idle', updated_at = now() - interval '4 minutes' "
        f"where state ? 'runner' and mission_id in {_BLOCKED}"
    ),
    (
        "update missions set status = 'blocked', updated_at = now() - interval '4 minutes' "
        f"where id in {_BLOCKED}"
    ),
)


def _steps(
    which: str,
    each: int,
    *,
    failing: bool = False,
    flag: str = "",
    ms: int = 640,
    ago: str = "0 s",
    every: str = "2 s",
) -> str:
    behind = f', "feature_flag": "{flag}"' if flag else ""
    code = ', "error_code": "UNEXPECTED_EVENT"' if failing else ""
    return events(
        which,
        each=each,
        kind="execution_step_completed",
        status="error" if failing else "success",
        context=f'{{"duration_ms": {ms}{behind}{code}}}',
        ago=ago,
        every=every,
    )


def _deployed(
    name: str,
    title: str,
    *rows: str,
    minutes_ago: int,
    ui: bool = True,
    agent: bool = True,
    tables: Sequence[str] = (EVENTS,),
) -> Fault:
    """Return a release of UI and agent that went live so long ago, and what users did since."""

    def inject(lab: LabState) -> None:
        if ui:
            deploy_interface(lab, _NAME, COMMIT, minutes_ago=minutes_ago)
        if agent:
            config = {**release(lab), **labelled(_NAME, COMMIT)}
            with fly(lab) as api:
                for machine in api.get("/machines").json():
                    api.post(f"/machines/{machine['id']}", json={"config": config})
        parts = [part for part, moved in (("ui", ui), ("agent", agent)) if moved]
        told = [released(f"{minutes_ago} minutes", release=_NAME, component=one) for one in parts]
        change(lab, *told, *rows, fault=name, tables=tables)

    def heal(lab: LabState) -> None:
        take_back(lab, fault=name)
        heal_release(lab)

    return Fault(name=name, title=title, inject=inject, heal=heal)


def _canary(lab: LabState) -> None:
    canary_on_one_of_three(lab, name=_NAME)


FAULTS: Final = (
    _deployed(
        "release_bad.young",
        "A release of one minute ago: two of five steps fail since",
        _steps("true", 6, failing=True, every="6 s"),
        _steps("true", 9, every="4 s"),
        minutes_ago=1,
    ),
    _deployed(
        "release_bad.long_after",
        "A release of forty minutes ago: most steps fail since three minutes",
        _steps("true", 15, failing=True, every="12 s"),
        _steps("true", 10, every="18 s"),
        _steps("true", 40, ago="4 minutes", every="50 s"),
        minutes_ago=40,
    ),
    _deployed(
        "release_bad.one_tenant",
        "A release of twenty minutes ago: every step of one tenant fails, behind 1,000 good ones",
        _steps("n <= 2", 6, failing=True, every="90 s"),
        _steps(OTHER_TENANT, 260, every="4 s"),
        minutes_ago=20,
    ),
    _deployed(
        "release_bad.missions_blocked",
        "A release of five minutes ago blocks three missions of eight, without an error",
        _steps("true", 8, every="20 s"),
        *_BLOCK,
        minutes_ago=5,
        tables=(EVENTS, "missions", "mission_sessions"),
    ),
    _deployed(
        "release_bad.slow",
        "A release of ten minutes ago: every step takes eight times as long",
        _steps("true", 20, ms=5200, every="25 s"),
        _steps("true", 20, ago="15 minutes", every="5 minutes"),
        minutes_ago=10,
    ),
    _deployed(
        "release_unpaired.agent_behind",
        "The UI went to a new release three hours ago, and the agent did not; nothing fails yet",
        _steps("true", 10, every="60 s"),
        minutes_ago=180,
        agent=False,
    ),
    _deployed(
        "release_unpaired.ui_behind",
        "The agent went to a new release an hour ago, and the UI did not; nothing fails yet",
        _steps("true", 10, every="60 s"),
        minutes_ago=60,
        ui=False,
    ),
    beside(
        "flag_errors.one_tenant",
        "A flag is on: every step of one tenant behind it fails, and of the other none",
        _FLAGS,
        row_fault(
            "flag_errors.one_tenant",
            "",
            _steps(ONE_TENANT, 10, failing=True, flag="planner_step3", every="3 s"),
            _steps(OTHER_TENANT, 40, flag="planner_step3", every="1 s"),
            _steps("true", 30, every="2 s"),
            tables=[EVENTS],
        ),
    ),
    beside(
        "flag_errors.young",
        "A flag went on half a minute ago: a third of the steps behind it fails",
        _FLAGS,
        row_fault(
            "flag_errors.young",
            "",
            _steps("true", 2, failing=True, flag="planner_step3", every="10 s"),
            _steps("true", 4, flag="planner_step3", every="5 s"),
            _steps("true", 60, every="25 s"),
            tables=[EVENTS],
        ),
    ),
    row_fault(
        "slow_without_deploy.one_tenant",
        "The steps of one tenant take eight times as long, and nothing was deployed",
        _steps(ONE_TENANT, 30, ms=5200, every="20 s"),
        _steps(OTHER_TENANT, 30, every="20 s"),
        tables=[EVENTS],
    ),
    # What follows only looks like a bad release.
    Fault(
        name="canary_good",
        title="A new release runs on one machine of three for trial, and does well",
        inject=_canary,
        heal=heal_machines,
    ),
    _deployed(
        "deploy_rolling",
        "A deploy began a minute ago: the UI has moved, the agent has not yet",
        "insert into telemetry_events (event_type, status, context, created_at) "
        "select 'deployment_started', 'info', "
        "jsonb_build_object('component', component, 'release', 'v51'), "
        "now() - interval '1 minute' from unnest(array['ui', 'agent']) as component",
        _steps("true", 5, every="10 s"),
        minutes_ago=1,
        agent=False,
    ),
    _deployed(
        "deploy_good",
        "A release of ten minutes ago, and all is as it was",
        _steps("true", 20, every="25 s"),
        minutes_ago=10,
    ),
    _deployed(
        "outage_before_deploy",
        "Steps fail since twelve minutes; a release came one minute ago and changed nothing",
        _steps("true", 30, failing=True, every="24 s"),
        _steps("true", 30, every="24 s"),
        minutes_ago=1,
    ),
    beside(
        "errors_behind_and_beside",
        "A fifth of the steps fails, behind a flag and outside it alike",
        _FLAGS,
        row_fault(
            "errors_behind_and_beside",
            "",
            _steps("true", 6, failing=True, flag="planner_step3", every="20 s"),
            _steps("true", 24, flag="planner_step3", every="5 s"),
            _steps("true", 6, failing=True, every="20 s"),
            _steps("true", 24, every="5 s"),
            tables=[EVENTS],
        ),
    ),
)
