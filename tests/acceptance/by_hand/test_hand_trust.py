"""A copy that somebody else made: it is looked at, and neither runs, fetches nor commands."""

import json
import re
import stat
from pathlib import Path

import httpx
import psutil
import pytest

from conftest import until

pytestmark = pytest.mark.slow

ELSEWHERE = "http://192.0.2.1/seen.png"
COMMAND = (
    '<button data-commandlinker-command="notebook:run-all-cells">Press me</button>'
    f'<img src="{ELSEWHERE}">![]({ELSEWHERE})<script>window.__ran = 1</script>'
)


def refusals(here):
    """Return, as it grows, what a tab did not ask other hosts for, and who refused it."""
    refused = {}
    here.page.on("requestfailed", lambda each: refused.update({each.url: each.failure}))
    return refused


def forget(here):
    """Leave the refused picture out of what the tab is told to have asked for."""
    here.requested[:] = [url for url in here.requested if url != ELSEWHERE]
    here.errors[:] = [said for said in here.errors if "Content Security Policy" not in said]


def planted(desk, incident, *, first=""):
    """Put what would act into every place of a copy; return the copy and a file to be made."""
    desk("open", "dead_sessions", "--incident", incident, "--no-start")
    copy, mark = desk.copy(incident), desk.folder / f"{incident}-was-run"
    notebook = json.loads(copy.read_text(encoding="utf-8"))
    run = f"open({str(mark)!r}, 'w').close()"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = COMMAND
            break
    for cell in (cell for cell in notebook["cells"] if cell["cell_type"] == "code"):
        bundle = {"text/html": COMMAND, "text/markdown": COMMAND, "text/plain": "as text"}
        output = {"output_type": "display_data", "data": bundle, "metadata": {}}
        cell["outputs"] = [output, {**output, "data": {"text/markdown": COMMAND}}]
        cell["metadata"]["trusted"] = True
    if first:
        notebook["cells"].insert(0, {**cell, "source": run, "id": "first", "outputs": []})
    copy.write_text(json.dumps(notebook), encoding="utf-8")
    return copy, mark


def test_a_foreign_copy_neither_runs_fetches_nor_commands(desk, tab):
    """Opened, scrolled and pressed; its own text is there to be read."""
    _, mark = planted(desk, "INC-71")
    here = tab()
    refused = refusals(here)
    here.open(desk.address("INC-71"))
    here.page.click(".jp-MarkdownCell button:has-text('Press me')")
    here.page.wait_for_selector(".jp-OutputArea-output >> text=as text")

    shown = here.page.locator(".jp-Notebook")
    assert shown.locator("[data-commandlinker-command]").count() == 0
    assert shown.locator(".jp-OutputArea-output img").count() == 0
    assert here.page.evaluate("window.__ran") is None
    assert not mark.exists()
    assert "checked" not in desk.kinds("INC-71")
    # The page's own rule refused the picture in the words, before anything was sent.
    assert refused == {ELSEWHERE: "csp"}
    forget(here)


def test_first_cells_that_do_more_than_open_the_incident_wait_for_a_person(desk, tab):
    """A tab runs them by itself, before anybody has looked."""
    _, mark = planted(desk, "INC-72", first="runs")
    here = tab()
    refused = refusals(here)
    here.page.goto(desk.address("INC-72"))
    here.page.wait_for_selector("#runbook-board .rb-trouble")

    assert not mark.exists()
    assert "started" not in desk.kinds("INC-72")
    assert refused == {ELSEWHERE: "csp"}
    forget(here)


@pytest.fixture
def kernel(desk):
    """Start the kernel of a copy as a tab does, and return its process."""
    found = re.search(r"(http://[^/]+)/\S+token=(\w+)", desk.address())
    headers = {"Authorization": f"token {found[2]}"}
    sessions = []
    with httpx.Client(base_url=found[1], headers=headers, trust_env=False, timeout=60) as client:

        def start(incident, *options):
            desk("open", "dead_sessions", "--incident", incident, "--no-start", *options)
            place = f"{incident}/working/dead_sessions.ipynb"
            asked = {
                "path": place,
                "name": "dead_sessions.ipynb",
                "type": "notebook",
                "kernel": {"name": "python3"},
            }
            sessions.append(client.post("/api/sessions", json=asked).raise_for_status().json())
            known = [each for each in psutil.process_iter() if is_kernel_of(each, desk, incident)]
            return known[0]

        yield start
        for session in sessions:
            client.delete(f"/api/sessions/{session['id']}")


def is_kernel_of(process, desk, incident):
    try:
        here = process.environ().get("JPY_SESSION_NAME", "")
        return here.startswith(f"{desk.incidents}/{incident}/")
    except (psutil.Error, OSError):
        return False


def test_a_kernel_is_reached_by_private_sockets_and_keeps_no_history(desk, kernel):
    """Nobody else on the machine can connect, or read what was typed."""
    process = kernel("INC-73")
    arguments = process.cmdline()
    connection = json.loads(Path(arguments[arguments.index("-f") + 1]).read_text(encoding="utf-8"))
    folder = Path(connection["ip"]).parent

    assert connection["transport"] == "ipc"
    until(lambda: list(folder.glob("k-*")))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [each for each in process.net_connections("inet") if each.status == "LISTEN"] == []
    assert "--HistoryManager.hist_file=:memory:" in arguments
    assert "-P" in arguments


def test_a_kernel_has_the_secrets_of_its_own_environment_only(desk, kernel):
    """What it has not got it cannot print."""
    own, other = kernel("INC-74"), kernel("INC-75", "-p", "environment=far")

    names = ("TRIAL_TOKEN", "FAR_DATABASE", "FAR_LEFTOVER_TOKEN")
    assert [name for name in names if name in own.environ()] == ["TRIAL_TOKEN"]
    assert [name for name in names if name in other.environ()] == ["FAR_DATABASE"]


def test_what_the_server_writes_is_its_owners_alone(desk):
    """Copies, state and token, also where the shell asks for less."""
    desk("open", "dead_sessions", "--incident", "INC-76", "--no-start")
    loose = [
        path
        for path in [desk.incidents, *desk.incidents.rglob("*")]
        if not path.is_symlink() and not path.is_socket() and path.stat().st_mode & 0o077
    ]
    assert loose == []
