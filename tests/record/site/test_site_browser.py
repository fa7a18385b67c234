"""The archive in a real browser, from a folder: found in a moment, and never outside of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from many import write_many
from runbook_nb.record.history import History, IncidentQuery
from runbook_nb.record.page import write_record
from runbook_nb.record.site import build
from story import cut_off

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
PAYLOAD = (
    "</script><script>document.title='ran'</script>\"><img src=x onerror=document.title='ran'>"
)
RECORDS = 3_000
PAGES = ("index.html", "metrics.html", "matrix.html", "runbooks/rls_policy_debugging.html")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]


@pytest.fixture(scope="module")
def incidents(tmp_path_factory) -> Path:
    """Three thousand closed incidents, an open one, a hostile one, and one with its record."""
    folder = tmp_path_factory.mktemp("archive") / "incidents"
    write_many(folder, RECORDS)
    write_many(folder, 1, first=9001, titles=PAYLOAD)
    cut_off(folder / "INC-9002")
    write_record(folder / "INC-3001")
    return folder


@pytest.fixture(scope="module")
def site(incidents: Path) -> Path:
    """The archive of them."""
    return build(incidents, incidents.with_name("site")).index.parent


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """An archive of a few, with one of each kind."""
    folder = tmp_path_factory.mktemp("small") / "incidents"
    write_many(folder, 20)
    write_many(folder, 1, first=9001, titles=PAYLOAD)
    cut_off(folder / "INC-9002")
    (folder / "INC-9003").mkdir()
    write_record(folder / "INC-3001")
    return build(folder, folder.with_name("site")).index.parent


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A browser that asks nobody anything by itself."""
    from playwright.sync_api import sync_playwright

    quiet = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
    with sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=CHROMIUM, args=[*quiet, "--disable-background-networking"]
        )
        yield found
        found.close()


@pytest.fixture
def page(browser) -> Iterator[object]:
    """A page that fails the test if it asks for a file elsewhere, or complains."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert said == []
    assert all(url.startswith(("file://", "data:,")) for url in asked)


def shown(page) -> list[str]:
    """Return the folders of the rows that can be seen."""
    return page.locator("#list tbody tr:not([hidden]) th").evaluate_all(
        "heads => heads.map(head => head.firstChild.textContent)"
    )


def says(page, text: str) -> None:
    """Wait until the page says how many are shown."""
    page.wait_for_function("text => document.getElementById('said').textContent === text", arg=text)


def told(incidents: Path, **wanted: object) -> list[str]:
    """Return what the command finds, which the page must find too."""
    history = History(incidents)
    history.refresh()
    return [
        line.folder for line in history.search(IncidentQuery(newest=True, limit=0, **wanted)).lines
    ]


def test_all_are_shown_at_first(page, site):
    """The newest first, and all at one click: a browser takes a second to lay out thousands."""
    page.goto((site / "index.html").as_uri())

    says(page, "3,002 of 3,002, the first 200 shown")
    assert shown(page)[0] == "INC-9002"
    assert len(shown(page)) == 200
    page.click("text=Show all that fit")
    says(page, "3,002 of 3,002 shown")
    assert len(shown(page)) == 3_002
    assert page.title() == "Incidents · Archive"


def test_words_and_choices_narrow_the_list(page, site, incidents):
    """The page finds what the command finds."""
    page.goto((site / "index.html").as_uri())
    page.fill("#text", "certif PROXY benoit")
    found = told(incidents, text="certif PROXY benoit")
    assert 50 < len(found) < 200
    says(page, f"{len(found)} of 3,002 shown")
    assert shown(page) == found

    page.select_option("#severity", "SEV1")
    page.select_option("#runbook", "oauth_token_rotation")
    page.select_option("#drill", "0")
    chosen = {"severity": "SEV1", "runbook": "oauth_token_rotation", "drills": False}
    found = told(incidents, text="certif PROXY benoit", **chosen)
    says(page, f"{len(found)} of 3,002 shown")
    assert 0 < len(found) < 100
    assert shown(page) == found


def test_an_id_finds_its_incident_and_a_click_opens_its_record(page, site):
    """From the list to the page of one night."""
    page.goto((site / "index.html").as_uri())
    page.fill("#text", "inc-3001")
    says(page, "1 of 3,002 shown")
    page.click("text=INC-3001")

    assert page.url.endswith("incidents/INC-3001/record.html")
    assert page.title().startswith("INC-3001")


def test_nothing_found_is_said_and_cleared(page, site):
    """An empty list is an answer."""
    page.goto((site / "index.html").as_uri())
    page.fill("#text", "zeppelin")
    says(page, "None of 3,002 shown")
    page.click("text=Clear")

    says(page, "3,002 of 3,002, the first 200 shown")


def test_a_link_keeps_what_was_looked_for(page, browser, site, incidents):
    """A colleague who opens it sees the same rows."""
    page.goto((site / "index.html").as_uri())
    page.select_option("#month", "2025-02")
    page.select_option("#verdict", "fail")
    found = told(incidents, month="2025-02", verdict="fail")
    says(page, f"{len(found)} of 3,002 shown")
    page.wait_for_url("**#*month=2025-02*")
    other = browser.new_page()
    other.goto(page.url)

    assert shown(other) == found
    other.close()


def test_the_open_and_the_broken_are_a_choice(page, site):
    """What a reviewer looks at first."""
    page.goto((site / "index.html").as_uri())
    page.select_option("#status", "open")
    says(page, "1 of 3,002 shown")
    assert shown(page) == ["INC-9002"]

    page.select_option("#status", "not whole")
    # All but the open one and the one with its record.
    says(page, "3,000 of 3,002, the first 200 shown")


def test_nothing_hostile_runs(page, small):
    """The title stays a title, also without the policy."""
    bare = small / "bare.html"
    bare.write_text((small / "index.html").read_text().replace("Content-Security-Policy", "X-No"))
    for file in (small / "index.html", bare):
        page.goto(file.as_uri())
        page.fill("#text", PAYLOAD)
        says(page, "1 of 23 shown")
        assert shown(page) == ["INC-9001"]
        assert page.title() == "Incidents · Archive"
        assert page.locator("#list img, #list script").count() == 0
    bare.unlink()


def test_without_script_the_list_is_whole(browser, site):
    """No dead control, no hidden row."""
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((site / "index.html").as_uri())

    assert page.locator("#list tbody tr").count() == 3_002
    assert not page.is_visible("#find")
    assert page.is_visible("noscript")
    page.context.close()


@pytest.mark.parametrize("width", [390, 640, 1280])
def test_no_page_scrolls_sideways(page, small, width):
    """On a telephone, at 200 %, on a desk."""
    page.set_viewport_size({"width": width, "height": 800})
    for name in PAGES:
        page.goto((small / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(browser, small, scheme):
    """Contrast, names, roles and headings of every kind of page."""
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_context(color_scheme=scheme).new_page()
    for name in PAGES:
        page.goto((small / name).as_uri())
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.context.close()
