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
import base64, html, json, os, sys, urllib.parse
from IPython.display import display
from planted import PLANTED
own = os.environ["TRIAL_API_KEY"]
words = [*PLANTED.values(), own]
for word in words:
    print(word)
    print(word, file=sys.stderr)
print(own[:9], end="", flush=True)
print(own[9:])
```

```python
for word in words:
    display({
        "text/plain": word,
        "text/html": f"<p title='{html.escape(word)}'>{html.escape(word)}</p>",
        "text/markdown": f"`{word}`",
        "text/latex": f"${word}$",
        "image/svg+xml": f"<svg><text>{html.escape(word)}</text></svg>",
        "image/png": word,
        "application/javascript": f"let a = {json.dumps(word)}",
        "application/json": {"deep": [{"er": word}, [word]]},
        "application/vnd.plotly.v1+json": {"data": [{"text": [word]}]},
    }, raw=True, metadata={"note": word})
```

```python
for word in words:
    print(json.dumps({"log": json.dumps({"said": word})}))
    print(urllib.parse.quote(word), html.escape(html.escape(word)), repr(word))
print(base64.b64encode(f"someone:{own}".encode()).decode())
print(own[:5] + "\\n    " + own[5:])
for word in words:
    incident.note(word)
```

```python
raise RuntimeError("; ".join(words))
```
"""


@pytest.mark.lab
def test_planted_secrets_are_in_no_file_of_the_incident(runbook, with_notebooks):
    """Printed, displayed, noted, raised, given as a parameter; closed and archived."""
    with_notebooks("dead_sessions", trial.dead_sessions(CELLS))
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
