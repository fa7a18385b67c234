"""The engine runs another team's runbooks where nothing of the platform can be imported."""

import json
import os
import shutil
import textwrap
from pathlib import Path

import pytest
from command import Command

from runbook_nb.runbook import pair

pytestmark = pytest.mark.slow

BAD = Path(__file__).parents[1] / "authoring" / "lint" / "bad"
# Python runs this first in each process of the test, kernels too.
REFUSING = """
    import sys

    class Refusing:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("runbook_nb.packs.control_plane"):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Refusing())
"""
PACK = """
    from runbook_nb.runbook.packs import Pack

    PACK = Pack(name="shop", about="A shop.", systems=("shop.systems",))
"""
AGENT = """
    from runbook_nb import Systems, action, probe

    @probe(unit="")
    def health(systems: Systems, *, samples: int) -> str:
        \"\"\"Say whether the till answers.\"\"\"
        return "ok"

    @action(repeatable=True)
    def restart(systems: Systems) -> str:
        \"\"\"Start the till anew.\"\"\"
        return "restarted"

    @restart.rehearsal
    def _(systems: Systems) -> str:
        return "It would start anew."
"""
HEARTBEATS = """
    from datetime import timedelta

    from runbook_nb import Systems, probe

    @probe(unit="s")
    def lag_p95(systems: Systems, *, window: timedelta) -> float:
        \"\"\"Return how late sales arrive.\"\"\"
        return 0.5
"""
INSTALLED = "[runbook_nb.packs]\nshop = shop:PACK\n"


@pytest.fixture
def shop(tmp_path: Path) -> Command:
    """The command in a shop's folder, with the shop's pack installed and the platform's away."""
    notebooks, code = tmp_path / "notebooks", tmp_path / "code"
    shutil.copytree(BAD, notebooks)
    trial = notebooks / "trial.md"
    text = trial.read_text(encoding="utf-8")
    text = text.replace("runbook_nb.packs.control_plane.systems", "shop.systems")
    trial.write_text(text, encoding="utf-8")
    pair.write(trial)
    for name, content in {
        "sitecustomize.py": REFUSING,
        "shop/__init__.py": PACK,
        "shop/systems/__init__.py": "",
        "shop/systems/agent.py": AGENT,
        "shop/systems/heartbeats.py": HEARTBEATS,
        "shop-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: shop\nVersion: 1\n",
        "shop-1.dist-info/entry_points.txt": INSTALLED,
    }.items():
        path = code / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content).lstrip(), encoding="utf-8")
    command = Command(tmp_path)
    inherited = command.environ["PYTHONPATH"]
    command.environ |= {
        "RUNBOOK_NOTEBOOKS": str(notebooks),
        "PYTHONPATH": os.pathsep.join([str(code), inherited]),
    }
    return command


def test_a_foreign_folder_lists_lints_shows_and_runs(shop):
    """Each check is read and passes; the pack that is away is named with its reason."""
    assert "trial" in shop("list")
    assert "Agent health" in shop("show", "trial")
    said = shop("lint", "trial", "--json", expect=None)
    findings, _ = json.JSONDecoder().raw_decode(said[said.index("[") :])
    assert "known-call" not in {finding["rule"] for finding in findings}
    assert "Incident INC-1: pass" in shop("run", "trial", "--incident", "INC-1")
    checked = [event for event in shop.events("INC-1") if event["kind"] == "checked"]
    assert {event["title"]: event["verdict"] for event in checked} == {
        "Agent health": "pass",
        "Lag": "pass",
    }


def test_calls_are_those_of_the_packs_that_can_be_loaded(shop):
    """The other pack is passed over with its reason and what to do."""
    said = shop("calls")

    assert "agent.health(samples: number)" in said
    assert "The pack control_plane is passed over" in said
    assert "Install it, or take it out of `packs`" in said


def test_a_lab_that_no_pack_has_is_said_in_one_line(shop):
    """With the packs there are and why one is passed over."""
    said = shop("lab", "up", expect=3)

    assert "No pack here has a lab" in said
    assert "Traceback" not in said
