"""What is read of telemetry before and after a deploy."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems.deploys._figures import (
    KINDS,
    NEWEST,
    SAMPLES,
    figures,
    parts_before,
    worse,
)
from runbook_nb.packs.control_plane.systems.deploys._outcomes import outcomes
from runbook_nb.packs.control_plane.systems.deploys._release import newest_live
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.sight import age_of, demand_samples

# A share of fewer missions is one user's luck.
MISSIONS: Final = 5


@probe(unit="")
def since_deploy(
    systems: Systems, *, window: timedelta, within: timedelta, baseline: timedelta, times: float
) -> Reading:
    """Say whether errors or latency are ``times`` what they were, and whether a deploy explains it.

    Answers ``no recent deploy`` or ``as before``; ``errors risen``, ``slower`` or both when a
    release that went live ``within`` the time explains it; the same words with ``, without a
    deploy`` when none does, and with ``, before the deploy`` when it was so just before it.

    Errors are a share of events, latency the p95 of ``duration_ms``. Now is the newest tenth, half
    and whole of the ``window``, none of it from before the deploy, however long ago that is; they
    are compared with the ``baseline`` before the deploy. Where nothing ran just now, the last
    window in which something did stands. Raises NoAnswerError when fewer than 20 events followed
    the deploy.
    """
    now = systems.database().value("select clock_timestamp()")
    release, deployed = newest_live(systems)
    recent = age_of(deployed, now=now, what=f"The deploy of {release}") < within
    begins = deployed if recent else now - window
    parts = parts_before(systems, now, window, since=begins)
    usual = figures(systems, begins - baseline, begins)
    earlier: list[str] = []
    if recent:
        earlier = worse(usual, parts_before(systems, deployed, window), times)
        if _most(parts) < SAMPLES:
            # Nothing ran just now: what ran last since the deploy is the newest that is known.
            ended = systems.database().value(NEWEST, since=begins) or now
            parts = parts_before(systems, ended, window, since=begins)
        demand_samples(_most(parts), needed=SAMPLES, what=f"events since {release} went live")
    found = worse(usual, parts, times)
    return Reading(
        value=_answer(found, earlier=earlier, recent=recent),
        detail={
            "newest live release": {"release": release, "live since": deployed},
            "before": usual,
            "now": parts,
            "worse already just before": earlier,
            "errors": systems.database().rows(KINDS, since=begins, before=now),
        },
    )


@probe(unit="%")
def mission_success(systems: Systems, *, within: timedelta) -> Reading:
    """Return the share of missions that were not stopped since the newest deploy, in percent.

    Counted are missions that were in Execute since then; one that was stopped with a reason and
    without an error was stopped on purpose. Without a deploy ``within`` the time it is 100, and
    so it is while a single one of fewer than five was stopped.
    """
    now = systems.database().value("select clock_timestamp()")
    release, deployed = newest_live(systems)
    detail = {"release": release, "live since": deployed}
    if age_of(deployed, now=now, what=f"The deploy of {release}") >= within:
        return Reading(value=100.0, detail={**detail, "recent": False})
    rows = outcomes(systems, since=deployed)
    stopped = [row for row in rows if row["stopped"]]
    judged = len(rows) >= MISSIONS or len(stopped) > 1
    share = 100 * (1 - len(stopped) / max(len(rows), 1)) if judged else 100.0
    return Reading(
        value=round(share, 1), detail={**detail, "missions": len(rows), "stopped": stopped}
    )


def _most(parts: list[dict[str, Any]]) -> int:
    return int(max((part["events"] for part in parts), default=0))


def _answer(worse_now: list[str], *, earlier: list[str], recent: bool) -> str:
    said = " and ".join(worse_now)
    if not recent:
        return f"{said}, without a deploy" if said else "no recent deploy"
    # What was as bad just before the deploy is not of the deploy.
    if said and set(worse_now) <= set(earlier):
        return f"{said}, before the deploy"
    return said or "as before"
