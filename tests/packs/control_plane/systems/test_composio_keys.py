"""Composio's answers and our key on the real lab: a rotation has no gap."""

from collections.abc import Iterator

import pytest

from runbook_nb.errors import ActionError, NoAnswerError, SettingMissingError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import break_composio, second_key
from runbook_nb.packs.control_plane.systems import composio, composio_keys
from runbook_nb.timeline.store.embedded.files import read_secret, write_secret

pytestmark = [pytest.mark.lab, pytest.mark.slow]

SECRETS = ("composio.token", "composio.token.next", "composio.token.previous")


@pytest.fixture
def healed(lab) -> Iterator[None]:
    """Have Composio, the key and the agent be well after."""
    yield
    FAULTS["key_overdue"].heal(lab)


@pytest.fixture
def overdue(lab, healed) -> None:
    """Let the key be too old, with a second one waiting."""
    FAULTS["key_overdue"].inject(lab)


def held(lab) -> dict[str, str]:
    """Return the keys that the platform holds, by file."""
    folder = lab.folder / "secrets"
    return {name: read_secret(lab.folder, name) for name in SECRETS if (folder / name).exists()}


def test_a_healthy_composio_answers_and_takes_our_key(hands):
    """The key is a month old."""
    assert hands.value(composio.answers()) == "ok"
    assert hands.value(composio_keys.accepted()) == "accepted"
    assert hands.value(composio_keys.age()) == 30


@pytest.mark.parametrize(
    ("outage", "word"),
    [
        ({"status": 503, "headers": {"content-type": "text/html"}}, "HTTP 503"),
        ({"status": 200, "headers": {"content-type": "text/html"}, "body": "<p>"}, "not JSON"),
        ({"status": 429, "headers": {"retry-after": "30"}}, "rate limited"),
        ({"cut": True}, "cut off"),
        ({"delay_s": 6}, "no answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_way_to_fail_has_its_word(lab, hands, healed, outage, word):
    """A responder sees at once that it is not the consents."""
    break_composio(lab, **outage)
    assert hands.value(composio.answers()) == word


def test_a_partner_that_is_gone_refuses(hands):
    """Nobody listens there."""
    hands.environment._systems["composio"]["url"] = "http://127.0.0.1:9"
    assert hands.value(composio.answers()) == "refused"


def test_a_refused_key_is_no_outage(lab, hands, healed):
    """Composio answers, and says no."""
    write_secret(lab.folder, "composio.token.kept", read_secret(lab.folder, "composio.token"))
    right = read_secret(lab.folder, "composio.token")
    write_secret(lab.folder, "composio.token", "another")
    found = hands.value(composio.answers()), hands.value(composio_keys.accepted())
    write_secret(lab.folder, "composio.token", right)
    (lab.folder / "secrets" / "composio.token.kept").unlink()

    assert found == ("ok", "refused")


def test_an_outage_tells_nothing_of_the_key(lab, hands, healed):
    """No reading, no opinion."""
    break_composio(lab, status=503)
    with pytest.raises(NoAnswerError):
        hands.read(composio_keys.accepted())


@pytest.mark.holds("composio_keys.switch")
@pytest.mark.holds("composio_keys.revoke_previous", undo=False)
def test_a_rotation_has_no_gap(lab, hands, overdue):
    """Rehearsed without a change, switched, undone, switched again, and the first key ended."""
    before = held(lab)
    first, second = before["composio.token"], before["composio.token.next"]
    rehearsed = hands.rehearse(composio_keys.switch())
    assert held(lab) == before
    switched = hands.do(composio_keys.switch())

    assert [one["machine"] for one in rehearsed["would restart"]] == switched["machines"]
    assert rehearsed["proof"] == switched["proof"]
    assert held(lab) == {"composio.token": second, "composio.token.previous": first}
    assert hands.value(composio_keys.accepted()) == "accepted"
    hands.undo(composio_keys.switch(), switched)
    assert held(lab) == before
    assert hands.value(composio_keys.accepted()) == "accepted"

    hands.do(composio_keys.switch())
    assert hands.value(composio_keys.age()) == 120
    predicted = hands.rehearse(composio_keys.revoke_previous())
    assert hands.value(composio_keys.age()) == 120
    revoked = hands.do(composio_keys.revoke_previous())
    assert [each.replace(each.split(" ")[1].partition("/api")[0], "") for each in hands.sent] == [
        predicted["would send"]
    ]
    assert len(predicted["keys before"]) == len(revoked["keys now"]) + 1 == 2
    assert hands.value(composio_keys.age()) == 0
    assert hands.value(composio_keys.accepted()) == "accepted"
    assert held(lab) == {"composio.token": second}


def test_no_key_leaves_the_rotation(lab, hands, overdue):
    """Neither rehearsal nor result tells a key, the new one included."""
    keys = held(lab).values()
    said = [hands.rehearse(composio_keys.switch()), hands.do(composio_keys.switch())]
    said.append(hands.do(composio_keys.revoke_previous()))

    assert not [key for key in keys if key in repr(said)]


def test_a_rotation_is_safe_twice(lab, hands, overdue):
    """The second time there is no second key, and nothing changes."""
    hands.do(composio_keys.switch())
    before = held(lab)
    with pytest.raises(ActionError, match="No second key"):
        hands.do(composio_keys.switch())
    assert held(lab) == before


def test_the_first_key_stays_without_a_switch(hands, overdue):
    """Else nobody could open Composio any more."""
    with pytest.raises(ActionError, match="Switch it first"):
        hands.do(composio_keys.revoke_previous())
    assert hands.value(composio_keys.accepted()) == "accepted"


def test_a_second_key_that_does_not_work_changes_nothing(lab, hands, healed):
    """It is proven before anything is handed to the agent."""
    second_key(lab, "ak_of_this_test")
    write_secret(lab.folder, "composio.token.next", "mistyped")
    before = held(lab)
    with pytest.raises(ActionError, match="nothing was changed"):
        hands.do(composio_keys.switch())
    assert held(lab) == before


def test_a_key_that_is_no_file_is_switched_elsewhere(hands):
    """The action says where the key comes from."""
    hands.environment._systems["composio"]["token"] = "env:COMPOSIO_API_KEY"
    with pytest.raises(SettingMissingError, match="env:COMPOSIO_API_KEY"):
        hands.rehearse(composio_keys.switch())
