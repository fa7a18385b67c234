"""The unattended run of each runbook, against a plain script that asks the same questions.

Needs the lab, healthy and with nothing else on it: ``runbook lab up``. Three whole processes take
turns: ``runbook run``; a script that reads the probes of all checks one after the other, and then
those of all verifications; and a script that reads the slowest of these probes alone. Once on the
healthy lab, and once with a fault. No runbook acts: nothing is approved.

    python tests/benchmarks/bench_run.py [RUNBOOK ...]
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import interleaved, show

from runbook_nb.incident.plan import Plan
from runbook_nb.packs.control_plane.lab.faults import named
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.probes.calls import Probe
from runbook_nb.probes.environment import Environment
from runbook_nb.runbook.namespace import names_of
from runbook_nb.runbook.parameters import typed
from runbook_nb.runbook.runbook import Runbook

ROUNDS = 3
ASK = "--ask"
# What a drill breaks: its checks fail, and none takes longer for it.
FAULTS = {
    "heartbeat_failure_recovery": "edge_buffers",
    "incident_response": "limits_storm",
    "oauth_token_rotation": "consent_withdrawn",
    "rls_policy_debugging": "policy_dropped",
    "rollback_procedure": "flag_errors",
    "supabase_backup_restore": "library_deleted",
}


def asked(runbook: Runbook) -> dict[str, Probe]:
    """Return the probes of a runbook's checks by title."""
    names = names_of(runbook, typed(runbook, {}))
    plan = Plan(runbook, names=lambda: names)
    titles = [step.title for step in runbook.steps if step.verb == "check"]
    return {title: plan.check(title).probe for title in titles}


def ask(name: str, titles: list[str]) -> None:
    """Read probes one after the other, each on connections of its own, and print what came."""
    runbook, place = Runbook.find(name), Environment.load("lab")
    probes = asked(runbook)
    again = [step.title for step in runbook.steps if step.verb == "verify"]
    for title in titles or [*probes, *again]:
        systems = place.reading([])
        began = time.perf_counter()
        try:
            answer = repr(probes[title].read(systems).value)
        except Exception as error:  # noqa: BLE001 - a probe that fails is an answer here
            answer = repr(error)
        finally:
            systems.close()
        print(f"{time.perf_counter() - began:.3f}\t{title}\t{answer[:60]}")


def slowest(name: str) -> str:
    """Return the title of the check whose probe takes the longest now."""
    told = subprocess.run(
        [sys.executable, __file__, ASK, name], capture_output=True, text=True, check=True
    ).stdout
    return max((line.split("\t") for line in told.splitlines()), key=lambda each: float(each[0]))[1]


def compare(runbook: Runbook, incidents: Path) -> None:
    """Let the three cases of a runbook take turns."""
    longest = slowest(runbook.name)
    environ = {**os.environ, "RUNBOOK_INCIDENTS": str(incidents)}

    def process(*arguments: str) -> None:
        subprocess.run(
            [sys.executable, *arguments],
            env=environ,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    plain = "a plain script"
    medians = interleaved(
        {
            plain: lambda: process(__file__, ASK, runbook.name),
            f"its slowest check alone, {longest[:18]}": lambda: process(
                __file__, ASK, runbook.name, longest
            ),
            "runbook run": lambda: process("-m", "runbook_nb", "run", runbook.name),
        },
        rounds=ROUNDS,
    )
    show(medians, against=plain)


def main(chosen: list[str]) -> None:
    """Compare each runbook, healthy and with a fault."""
    state = Lab().status()
    if state is None:
        sys.exit("The lab does not run. Start it: runbook lab up")
    with TemporaryDirectory() as folder:
        for runbook in Runbook.every():
            if chosen and runbook.name not in chosen:
                continue
            print(f"{runbook.name}, healthy")
            compare(runbook, Path(folder) / "incidents")
            fault = named(FAULTS[runbook.name])
            print(f"{runbook.name}, {fault.name}")
            fault.inject(state)
            try:
                compare(runbook, Path(folder) / "incidents")
            finally:
                fault.heal(state)


if __name__ == "__main__":
    if sys.argv[1:2] == [ASK]:
        ask(sys.argv[2], sys.argv[3:])
    else:
        main(sys.argv[1:])
