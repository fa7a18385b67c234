"""Every partner's emulator can fail in every way that a partner fails."""

import json
from collections.abc import Iterator

import httpx
import pytest

from runbook_nb.packs.control_plane.lab.emulators import EMULATORS
from runbook_nb.packs.control_plane.lab.outage import PATH
from runbook_nb.packs.control_plane.lab.refusals import REFUSALS

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PARTNERS = sorted({*EMULATORS, "fly"})
# The team runs these itself, and they count nobody's requests.
UNLIMITED = {"alertmanager", "prometheus"}


class Partner:
    """An emulator, and the outage that it is in."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fails(self, **outage: object) -> None:
        httpx.post(self.url + PATH, json=outage, trust_env=False).raise_for_status()

    def answers(self) -> httpx.Response:
        return httpx.get(f"{self.url}/anything", timeout=0.5, trust_env=False)


@pytest.fixture(params=PARTNERS)
def partner(view, request) -> Iterator[Partner]:
    """One partner after the other; each is well again afterwards."""
    partner = Partner(view.url(request.param))
    yield partner
    httpx.delete(partner.url + PATH, trust_env=False).raise_for_status()
    assert partner.answers().status_code < 500


def test_a_partner_can_be_down_with_a_page_of_html(partner):
    """As a proxy in front of it says so."""
    page = {"content-type": "text/html"}
    partner.fails(status=503, headers=page, body="<html>We will be back soon</html>")
    down = partner.answers()
    assert (down.status_code, down.headers["content-type"][:9]) == (503, "text/html")


def test_a_partner_can_answer_with_the_wrong_type(partner):
    """HTTP 200 alone says nothing."""
    partner.fails(status=200, headers={"content-type": "text/html"}, body="<html>Sign in</html>")
    with pytest.raises(json.JSONDecodeError):
        partner.answers().json()


def test_a_partner_can_leave_one_waiting(partner):
    """Before it says a word."""
    partner.fails(delay_s=2)
    with pytest.raises(httpx.ReadTimeout):
        partner.answers()


def test_a_partner_can_close_its_half_midway(partner):
    """The promised length never comes."""
    partner.fails(cut=True)
    with pytest.raises(httpx.RemoteProtocolError):
        partner.answers()


def test_a_partner_can_stall_midway(partner):
    """The connection stays open, and nothing more is sent."""
    partner.fails(stall=True)
    with pytest.raises(httpx.ReadTimeout):
        partner.answers()


def test_a_partner_can_fail_for_a_while(partner):
    """A second try may succeed."""
    partner.fails(status=502, times=1)
    assert [partner.answers().status_code == 502 for _ in range(2)] == [True, False]


@pytest.mark.parametrize("name", sorted({*PARTNERS} - UNLIMITED))
def test_each_partner_refuses_in_its_own_words(view, name):
    """Status, headers and body are those of its reference."""
    partner, wanted = Partner(view.url(name)), REFUSALS[name]
    partner.fails(limited=True)
    try:
        refused = partner.answers()
    finally:
        httpx.delete(partner.url + PATH, trust_env=False)

    assert refused.status_code == wanted.status == 429
    assert refused.headers.items() >= dict(wanted.headers).items()
    assert refused.json() == json.loads(wanted.body)
