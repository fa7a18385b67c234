"""The pages in a real browser on a phone: an incident live, and a yes that a passkey signs."""

import os
import shutil
from urllib.parse import urlsplit

import pytest
from running_service import HOSTILE

from runbook_nb.timeline.events import Acting, Approved, Verified
from runbook_nb.timeline.store.embedded.processes import wait_until

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
PHONE = {"width": 390, "height": 844}
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.timeout(280),
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="no Chromium on PATH; install chromium-headless-shell",
    ),
]


@pytest.fixture
def page():
    """A phone's browser; at the end, nothing was asked of another host and nothing went wrong."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport=PHONE)
        page.set_default_timeout(60_000)
        hosts, errors = set(), []
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()
    assert hosts <= {"localhost", None}
    assert errors == []


@pytest.fixture
def device(page):
    """A phone that keeps passkeys, and whose owner says yes at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    def verified(*, yes):
        values = {"authenticatorId": made["authenticatorId"], "isUserVerified": yes}
        session.send("WebAuthn.setUserVerified", values)

    return verified


def flawless(page):
    """Tell whether axe finds nothing in either colours, and nothing is to be scrolled sideways."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    return fits(page)


def fits(page):
    """Tell whether nothing has to be scrolled sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_on_a_phone_from_an_alert_to_a_yes_and_done(signed, team, page, device):
    """Nothing is done before a person's device has said yes to exactly what was rehearsed."""
    signed.send(HOSTILE)
    assert wait_until(lambda: signed.orders("running", "done"), within_s=30)
    incident = signed.orders("running", "done")[0].incident
    page.goto(signed.url)
    assert flawless(page)
    page.click(f"a:has-text('{incident}')")
    page.wait_for_selector("#state >> text=Live.")
    page.wait_for_selector("#cards .rb-card.rb-fail >> text=Workers")
    page.click("#approve >> text=Approve Option A")
    page.wait_for_selector("text=Nobody who may approve has a passkey for localhost")
    page.click("text=Make one")
    page.fill("#name", "ada@company.com")
    page.click("text=Make it")
    page.wait_for_selector("#table:visible")
    assert flawless(page)
    table = page.inner_text("#table")
    assert table.startswith('[people."ada@company.com"]\nkeys = ["passkey:localhost:')
    file = team.root / "runbook.toml"
    file.write_text(f"{file.read_text()}\n{table}\n")

    page.goto(f"{signed.url}/incidents/{incident}/approve")
    page.wait_for_selector("details[open] >> text=workers then")
    assert flawless(page)
    device(yes=False)
    page.click("button")
    page.wait_for_selector("#said >> text=Nothing was approved: your device did not say yes")
    assert not [event for event in team.told(incident) if isinstance(event, Approved)]
    device(yes=True)
    page.click("button")
    page.wait_for_selector("#said >> text=/ada@company.com approved 'Option A.*It is done now/")
    page.goto(f"{signed.url}/incidents/{incident}")
    page.wait_for_selector("#cards .rb-card.rb-pass:has-text('DONE')")

    def verified():
        return any(isinstance(event, Verified) for event in team.told(incident))

    assert wait_until(verified, within_s=60)
    (begun,) = [event for event in team.told(incident) if isinstance(event, Acting)]
    ((key, name),) = begun.approvers.items()
    assert (name, key.startswith("passkey:SHA256:")) == ("ada@company.com", True)
    assert page.locator("script:has-text('alert(1)')").count() == 0
    assert flawless(page)
