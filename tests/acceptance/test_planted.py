"""Secrets of every system, in every form of output, through a real run: none in any file."""

from pathlib import Path

import pytest
import trial

from planted import CORES, PLANTED

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
OWN = "zq7-correct/horse+battery"
CELLS = """
```python
incident.note(spill.print_all())
```

```python
incident.note(spill.show_all())
```

```python
incident.note(spill.print_wrapped())
```

```python
incident.note(spill.say_all())
```

```python
incident.note(spill.fail_with_all())
```
"""


@pytest.mark.lab
def test_planted_secrets_are_in_no_file_of_the_incident(runbook, with_notebooks):
    """Printed, displayed, noted, raised, given as a parameter; closed and archived."""
    text = trial.dead_sessions(CELLS).replace("import trial\n", "import spill\nimport trial\n", 1)
    with_notebooks("dead_sessions", text)
    runbook.environ["PYTHONPATH"] += f":{TESTS}"
    runbook.environ["TRIAL_API_KEY"] = OWN
    given = f"remark={PLANTED['github']} {OWN} {PLANTED['dsn']}"
    runbook("run", "dead_sessions", "--incident", "INC-1", "-p", given, expect=3)
    runbook("close", "INC-1", "--resolution", f"Rotated {PLANTED['slack bot']} and {OWN}.")

    files = [path for path in runbook.incidents.rglob("*") if path.is_file()]
    held = [(path.name, path.read_text(encoding="utf-8", errors="replace")) for path in files]
    leaks = [(name, core) for name, text in held for core in (*CORES, OWN) if core in text]
    assert leaks == []
    assert any("RuntimeError" in text for _, text in held)
    assert sum(text.count("[masked") for _, text in held) > 10 * len(PLANTED)
