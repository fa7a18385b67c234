"""The board beside a notebook in JupyterLab: what it lets a responder do, and what it tells."""

import pytest
from playwright.sync_api import expect

from conftest import until


@pytest.fixture
def opened(desk, tab):
    """Open a tab on an incident of its own."""

    def opened(incident: str, name: str = "dead_sessions"):
        here = tab()
        here.open(desk.address(name, "--incident", incident))
        return here

    return opened


def fill(here, title: str, button: str, **words: str) -> None:
    """Unfold a form of the board, fill it in, and send it."""
    form = here.page.locator(f"#runbook-board details:has(summary:text-is('{title}'))").last
    form.locator("summary").click()
    for name, text in words.items():
        field = form.locator(f"[name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)
    form.locator(f"button:text-is('{button}')").click()


def test_a_note_a_severity_and_the_close_need_no_cell(desk, opened):
    """What is written half stays while the board is drawn anew, and the close says what is open."""
    here = opened("INC-70")
    note = here.page.locator("#runbook-board details:has(summary:text-is('Note'))")
    note.locator("summary").click()
    note.locator("textarea").fill("The worker han")
    desk("note", "INC-70", "Told #ops.")
    told = here.page.locator("#runbook-board li:has-text('note Told #ops.')")
    told.first.wait_for(state="attached")
    assert note.locator("textarea").input_value() == "The worker han"
    note.locator("textarea").fill("The worker hangs.")
    note.locator("button").click()
    until(lambda: desk.events("INC-70")[-1].get("text") == "The worker hangs.")
    here.board_says("Noted: The worker hangs.")
    severity = desk.events("INC-70")[0]["severity"]
    other = next(name for name in ("SEV1", "SEV2", "SEV3") if name != severity)
    fill(here, f"Severity {severity}", "Change it", severity=other, because="One tenant.")
    here.board_says(f"INC-70 is a {other} now")

    fill(here, "Close INC-70", "Close it and make the record", resolution="It ended by itself.")
    here.board_says("INC-70 is closed, and its record is made")
    closed = desk.events("INC-70")[-1]
    assert (closed["kind"], closed["resolution"]) == ("closed", "It ended by itself.")
    expect(here.page.locator("#runbook-board form")).to_have_count(0)
    assert desk("verify", str(desk.incidents / "INC-70"), expect=None)


def test_an_option_that_was_not_chosen_folds_and_what_was_done_is_undone(
    desk, opened, dead_sessions
):
    """The undo is a step of its own below the others, and asks as an action does."""
    here = opened("INC-71", "two_ways")
    here.run_all()
    here.answer("B", to="Press Enter for 'Option A: End them' or B for another option")
    here.answer("Users must be told first.", to="say in a sentence why")
    here.answer("do", to="'End those of an hour' in LAB: type 'do'")
    until(lambda: "verified" in desk.kinds("INC-71"))
    passed = here.page.locator(".jp-MarkdownCell:has(h3:has-text('Option A: End them'))")
    expect(
        passed.locator(".jp-collapseHeadingButton.jp-mod-collapsed, .jp-mod-collapsed")
    ).not_to_have_count(0)
    expect(here.page.locator(".jp-CodeCell:has-text('incident.act(\"End\",')")).to_be_hidden()

    here.page.locator("#runbook-board button:has-text('Undo End those of an hour')").click()
    here.answer("do", to="type 'do' to do it")
    until(lambda: "undone" in desk.kinds("INC-71"))


def test_a_question_whose_tab_is_gone_is_taken_back(desk, opened, tab, dead_sessions):
    """The kernel waits no more, nothing was done, and the step can be run again."""
    first = opened("INC-72")
    first.run_all()
    first.answer("", to="Press Enter for 'Option A: End them'")
    first.asks("type 'do' to do it")
    second = tab()
    second.page.goto(desk.address("INC-72"))
    second.board_says("sam is asked since")
    assert not second.page.locator(".jp-Stdin").count()
    # The second one would take the question back as soon as the first one is gone: it asks once a
    # second, and is closed while none of its requests is on its way.
    second.page.wait_for_event("response", lambda response: "/runbook/free" in response.url)
    second.page.close()
    first.page.close()

    again = opened("INC-72")
    again.board_says("is gone, so its question was taken back")
    acted = [event for event in desk.events("INC-72") if event["kind"] in ("acting", "acted")]
    assert acted == []
    again.run_all()
    again.answer("", to="was chosen at")
    again.answer("do", to="type 'do' to do it")
    until(lambda: "acted" in desk.kinds("INC-72"))


def test_two_tabs_of_a_copy_save_and_neither_asks_what_to_overwrite(desk, opened, dead_sessions):
    """What either ran is there when the copy is opened again."""
    one, two = opened("INC-73"), opened("INC-73")
    for here in (one, two, one, two):
        before = desk.kinds("INC-73").count("checked")
        here.page.locator("#runbook-board li[data-verb=check] a:text-is('Silent')").click()
        here.selects('incident.check("Silent"')
        here.page.keyboard.press("Shift+Enter")
        until(lambda seen=before: desk.kinds("INC-73").count("checked") > seen)
        # The kernel writes the event before the tab has the card.
        here.settled()
        here.page.wait_for_selector(".jp-Notebook .rb-card.rb-fail >> text=Silent")
        saved = desk.copy("INC-73").stat().st_mtime_ns
        here.page.keyboard.press("Control+s")
        until(lambda before=saved: desk.copy("INC-73").stat().st_mtime_ns > before)
        assert here.page.locator(".jp-Dialog").count() == 0
    assert '"rb-card rb-fail' in desk.copy("INC-73").read_text().replace("\\", "")
    opened("INC-73").goes_to("Silent")


def test_a_second_tab_shows_what_the_first_one_runs_and_who_is_asked(desk, opened, dead_sessions):
    """Its cards and the board in the notebook stand there without a click."""
    one, two = opened("INC-75"), opened("INC-75")
    one.run_all()
    # The card stands where the tab may not have scrolled to.
    two.page.wait_for_selector(".jp-Notebook .rb-card.rb-fail >> text=Silent", state="attached")
    two.page.wait_for_selector(".jp-Notebook .rb-board >> text=/Diagnosis.*2 fail/")
    two.page.wait_for_selector("#runbook-board >> text=/is asked since/")
    one.answer("", to="Press Enter for 'Option A: End them'")
    chosen = ".jp-Notebook .rb-card >> text=Option A: End them"
    two.page.wait_for_selector(chosen, state="attached")


def test_a_verification_that_waits_shows_its_last_reading(desk, opened, dead_sessions):
    """And for how long it reads on at most; the line is gone when the card stands there."""
    here = opened("INC-74")
    here.run_all()
    here.answer("", to="Press Enter for 'Option A: End them'")
    here.answer("do", to="type 'do' to do it")
    until(lambda: desk.kinds("INC-74").count("verified") == 2)

    expect(here.page.locator(".jp-OutputArea:has-text('left at most')")).to_have_count(0)
    expect(here.page.locator(".jp-OutputArea:has-text('reads, at most')")).to_have_count(0)
