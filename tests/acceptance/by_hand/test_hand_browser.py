"""A responder in JupyterLab: a real server, real kernels, real browsers."""

import json
import os
import signal

import pytest

from conftest import SECRET, until
from runbook_nb.timeline.log import Timeline

ALERT = {"labels": {"alertname": "TrialSessionsSilent"}, "annotations": {"summary": "Silent: 3"}}


@pytest.mark.quick
def test_from_an_alert_to_a_closed_incident(desk, tab, dead_sessions):
    """Run All stops at the action, a typed word does it, and the record is complete."""
    alert = desk.folder / "alert.json"
    alert.write_text(json.dumps(ALERT), encoding="utf-8")
    here = tab()
    here.open(desk.address("--alert", str(alert)))
    here.run_all()
    here.answer("", to="Press Enter for 'Option A: End them'")
    here.asks("type 'do' to do it")
    here.board_says("Option A: End them")
    assert "acted" not in desk.kinds("INC-2001")
    here.answer("do", to="type 'do' to do it")
    until(lambda: desk.kinds("INC-2001").count("verified") == 2)
    here.board_says("done")

    ended = [event for event in desk.events("INC-2001") if event["kind"] == "acted"]
    assert [(event["title"], event["outcome"]) for event in ended] == [("End", "done")]
    assert desk.kinds("INC-2001").count("started") == 1
    assert Timeline(desk.incidents / "INC-2001" / "timeline.jsonl").verify()
    until(lambda: "[masked: known value]" in desk.copy("INC-2001").read_text(encoding="utf-8"))
    assert "INC-2001 is closed" in desk("close", "INC-2001")
    here.board_says("closed after")
    files = [path for path in desk.incidents.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_a_closed_tab_and_a_killed_kernel_lose_nothing(desk, tab, dead_sessions):
    """The tab comes back with its cards; the new kernel joins by itself, as a new run."""
    first = tab()
    address = desk.address("dead_sessions", "--incident", "INC-10")
    first.open(address)
    first.run_all()
    first.page.wait_for_selector(".jp-Stdin-input")
    until(lambda: '"rb-card' in desk.copy("INC-10").read_text(encoding="utf-8").replace("\\", ""))
    first.page.close()
    for pid in kernels_of("INC-10"):
        os.kill(pid, signal.SIGKILL)

    again = tab()
    again.open(address)
    until(lambda: desk.kinds("INC-10").count("started") == 2)
    again.goes_to("Silent")
    assert "Silent" in again.board()
    again.run_all()
    again.answer("", to="Press Enter for 'Option A: End them'")
    again.answer("do", to="type 'do' to do it")
    until(lambda: "verified" in desk.kinds("INC-10"))
    started = [event for event in desk.events("INC-10") if event["kind"] == "started"]
    assert len({event["run"] for event in started}) == 2


def test_two_responders_see_one_board(desk, tab):
    """What one does, the other sees; Next selects a step, and Shift+Enter the one after it."""
    sam, alex = tab(), tab()
    sam.open(desk.address("dead_sessions", "--incident", "INC-20"))
    alex.open(desk.address("INC-20", "--as", "alex"))
    # What a reader has clicked in the board keeps the focus, and the board goes on.
    alex.page.click("#runbook-board summary >> text=People")
    sam.page.click("#runbook-board >> text='check: Silent'")
    sam.selects('incident.check("Silent"')
    sam.page.keyboard.press("Shift+Enter")
    until(lambda: "checked" in desk.kinds("INC-20"))

    alex.page.wait_for_selector("#runbook-board >> text=/Diagnosis.*1 pass/")
    sam.selects('incident.check("Stale"')
    sam.page.keyboard.press("Shift+Enter")
    alex.page.wait_for_selector("#runbook-board >> text=/Diagnosis.*2 pass/")
    # Whose copy it is says nothing of who acts: both work in one server of one user.
    started = [event for event in desk.events("INC-20") if event["kind"] == "started"]
    assert len({event["run"] for event in started}) == 2
    assert {event["by"] for event in started} == {"sam"}


def test_another_option_is_chosen_by_its_letter_and_a_reason(desk, tab, dead_sessions):
    """No code is edited; the recommended action is passed over, and the other one asks."""
    here = tab()
    here.open(desk.address("two_ways", "--incident", "INC-60"))
    here.run_all()
    here.answer("B", to="Press Enter for 'Option A: End them' or B for another option")
    here.answer("Users must be told first.", to="say in a sentence why")
    here.answer("do", to="'End those of an hour' in LAB: type 'do'")
    until(lambda: "verified" in desk.kinds("INC-60"))

    events = desk.events("INC-60")
    decided = next(event for event in events if event["kind"] == "decided")
    assert (decided["option"], decided["recommended"]) == (
        "Option B: End the oldest",
        "Option A: End them",
    )
    assert decided["reason"] == "Users must be told first."
    ended = {event["title"]: event["outcome"] for event in events if event["kind"] == "acted"}
    assert ended["End"] == "declined"
    assert "changed" not in desk.kinds("INC-60")
    here.board_says("recommended was Option A: End them")


def test_what_a_machine_has_diagnosed_is_continued(desk, tab, dead_sessions):
    """Its cards are in place, its option in view, and its readings count."""
    desk("run", "dead_sessions", "--incident", "INC-30", expect=None)
    here = tab()
    here.open(desk.address("INC-30"))

    card = here.page.wait_for_selector(".jp-Notebook .rb-card.rb-fail")
    assert card.get_attribute("aria-label") == "FAIL: Silent"
    option = here.page.wait_for_selector(".jp-Notebook h3:has-text('Option A: End them')")
    until(lambda: 0 < option.bounding_box()["y"] < 700)
    started = [event for event in desk.events("INC-30") if event["kind"] == "started"]
    assert [event["attended"] for event in started] == [False, True]


def test_the_list_opens_a_working_copy_with_one_click(desk, tab):
    """No command is needed for the next incident; the code of a cell is one click away."""
    here = tab()
    here.page.goto(desk.address())
    here.page.click("#runbook-list >> text=Dead Sessions")
    here.settled()
    assert "rows outlive" in here.page.text_content("#runbook-list").lower()
    folded = here.page.locator(".jp-CodeCell .jp-PlaceholderText:has-text('incident.decide')")
    folded.click()
    here.page.wait_for_selector(".jp-CodeCell .cm-content:has-text('incident.decide()')")


def test_the_panels_are_for_everybody(desk, tab):
    """Axe finds nothing in them, and at 200 % they leave the room to the notebook."""
    from axe_playwright_python.sync_playwright import Axe

    here = tab()
    address = desk.address("dead_sessions", "--incident", "INC-50")
    here.open(address)
    here.page.click("[data-id=runbook-shelf]")
    here.page.wait_for_selector("#runbook-shelf button[data-incident]")
    found = Axe().run(here.page, context={"include": [["#runbook-shelf"], ["#runbook-board"]]})
    assert [violation["id"] for violation in found.response["violations"]] == []
    listed = tab()
    listed.page.goto(desk.address())
    listed.page.wait_for_selector("#runbook-list button[data-runbook]")
    found = Axe().run(listed.page, context={"include": [["#runbook-list"]]})
    assert [violation["id"] for violation in found.response["violations"]] == []

    zoomed = tab()
    zoomed.page.set_viewport_size({"width": 640, "height": 400})
    zoomed.open(address)
    until(lambda: zoomed.page.locator(".jp-Notebook").bounding_box()["width"] > 500)


def test_a_zoom_while_it_asks_leaves_the_room_and_the_box(desk, tab, dead_sessions):
    """At 200 % the sides fold; what is typed still goes to the question. Dark where all is dark."""
    here = tab(color_scheme="dark")
    here.open(desk.address("dead_sessions", "--incident", "INC-51"))
    assert here.page.evaluate("document.body.dataset.jpThemeLight") == "false"
    here.run_all()
    here.asks("Press Enter for 'Option A: End them'")

    def room():
        return here.page.locator(".jp-Notebook").bounding_box()["width"]

    here.page.set_viewport_size({"width": 640, "height": 400})
    until(lambda: room() > 500)
    here.answer("", to="Press Enter for 'Option A: End them'")
    here.asks("type 'do' to do it")
    here.page.set_viewport_size({"width": 1280, "height": 800})
    until(lambda: here.page.locator("#runbook-board").is_visible())
    here.answer("do", to="type 'do' to do it")
    until(lambda: "acted" in desk.kinds("INC-51"))


def kernels_of(incident: str) -> list[int]:
    """Return the processes of the kernels that work in an incident's folder."""
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "kernel_process" in " ".join(process.info["cmdline"] or ()):
            here = process.environ().get("JPY_SESSION_NAME", "")
            found += [process.pid] if f"/{incident}/" in here else []
    return found
