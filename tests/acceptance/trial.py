"""The smallest runbook with every kind of step, and systems of the tests' own."""

import os

from runbook_nb.probes.calls import Systems, probe

DEAD_SESSIONS = """\
---
jupyter:
  jupytext:
    cell_metadata_filter: tags,-all
    formats: ipynb,md
    notebook_metadata_filter: kernelspec,runbook,jupytext
    text_representation:
      extension: .md
      format_name: markdown
  kernelspec:
    display_name: Python 3
    language: python
    name: python3
  runbook:
    name: dead_sessions
    title: Dead Sessions
    scenario: Rows outlive their sessions.
    severity: SEV3
    owner: Runtime Steward
    last_updated: '2026-11-23'
    related: []
    alerts: []
---

# Dead Sessions

```python tags=["parameters"]
incident_id: str = ""
environment: str = "lab"
remark: str = ""
```

```python
import trial
from runbook_nb import Incident, equals, seconds, hours
from runbook_nb.packs.control_plane.systems import sessions, streams

incident = Incident.open(incident_id, runbook="dead_sessions", environment=environment,
                         parameters={"remark": remark})
```

## Diagnosis

### Check 1

```python
incident.check("Silent", sessions.silent(older_than=seconds(90)),
               expect=equals(0, "sessions"), if_failed="Option A: End them")
```

### Check 2

```python
incident.check("Stale", streams.stale(older_than=hours(1)),
               expect=equals(0, "streams"), if_failed="Option A: End them")
```

EXTRA

## Resolution Steps

```python
incident.decide()
```

### Option A: End them

```python
incident.act("End", sessions.terminate_silent(older_than=seconds(90)), because="Silent",
             risk="None in a trial.", undo="Sets them active again.")
```

## Verification

```python
incident.verify("Silent", within=seconds(5), readings=2)
```

```python
incident.verify("Stale", within=seconds(5), readings=1)
```

## Validation Log
"""


def dead_sessions(extra: str = "") -> str:
    """Return the trial runbook, with more cells of diagnosis."""
    return DEAD_SESSIONS.replace("EXTRA", extra)


OPTION_B = """\
### Option B: End the oldest

```python
incident.act("End those of an hour", sessions.terminate_silent(older_than=hours(1)),
             because="Silent", risk="None in a trial.", undo="Sets them active again.")
```

## Verification
"""


def two_ways() -> str:
    """Return the trial runbook under another name, with a second option that no check names."""
    text = dead_sessions().replace("## Verification\n", OPTION_B, 1)
    return text.replace("dead_sessions", "two_ways").replace("Dead Sessions", "Two Ways")


# Told as a question, so that the role and the transaction have to refuse it.
INSERT = "with new as (insert into personas (name) values ('x') returning id) select id from new"


@probe(unit="rows")
def insert_a_row(systems: Systems) -> int:
    """Try to write, as no probe should."""
    return len(systems.database().rows(INSERT))


@probe(unit="rows")
def insert_after_asking_nicely(systems: Systems) -> int:
    """Try to turn the protection off first."""
    systems.database().rows("select set_config('default_transaction_read_only', 'off', false)")
    return len(systems.database().rows(INSERT))


@probe(unit="")
def post(systems: Systems) -> str:
    """Try to send a writing method."""
    return str(systems.http("agent").request("POST", "/execution/run", json={}).status_code)


@probe(unit="")
def secret_answer(systems: Systems) -> str:
    """Answer with a secret."""
    return f"the answer holds {os.environ['TRIAL_API_KEY']} and Bearer {os.environ['TRIAL_TOKEN']}"


@probe(unit="")
def secret_error(systems: Systems) -> str:
    """Fail with a secret in the message."""
    raise RuntimeError(
        os.environ["TRIAL_API_KEY"] + " postgresql://u:" + os.environ["TRIAL_TOKEN"] + "@h/d"
    )


def print_secret() -> str:
    """Print a secret beside what a verb shows."""
    print(os.environ["TRIAL_TOKEN"])
    return "printed"


def crash_with_secret() -> str:
    """Fail in a cell, with a secret in the message of the traceback."""
    raise RuntimeError(os.environ["TRIAL_API_KEY"])


@probe(unit="", timeout_s=1)
def never(systems: Systems) -> str:
    """Answer when it is too late."""
    return str(systems.database().value("select pg_sleep(60)"))


HOSTILE = (
    "<script>window.__ran = 1</script><img src=x onerror='window.__ran = 1'>"
    "\x1b[31mred\x1b[0m\x00\u202egnp.exe [a](javascript:alert(1)) {{ 7*7 }} {% raw %}"
)


@probe(unit="")
def hostile_answer(systems: Systems) -> str:
    """Answer with what would act on a screen, and five megabytes of it."""
    return HOSTILE + "x" * 5_000_000
