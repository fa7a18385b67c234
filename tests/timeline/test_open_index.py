"""An alert finds its open incident without a look at all of them, and the timeline has the word."""

import fcntl
import json
import os
import shutil
import stat
import threading

import pytest

from runbook_nb.errors import IncidentStateError
from runbook_nb.redaction import Redactor
from runbook_nb.testing import Clock
from runbook_nb.timeline.events import Alert, Alerted, Cleared, Closed, Noted
from runbook_nb.timeline.folder import IncidentsFolder
from runbook_nb.timeline.incidents import clear, declare, find, maybe_open
from runbook_nb.timeline.lock import locked
from runbook_nb.timeline.tail import is_closed
from runbook_nb.timeline.writer import WritableTimeline

FIRST, SECOND = (Alert(name="A", fingerprint=name) for name in ("f1", "f2"))


class Meanwhile(Redactor):
    """Lets somebody else begin while the first line is written, and gives them time to end."""

    def __init__(self, begin):
        super().__init__()
        self.other = threading.Thread(target=begin)

    def clean(self, value, depth=0):
        if self.other.ident is None:
            self.other.start()
            self.other.join(0.5)
        return super().clean(value, depth)


def declared(folder, alert, *also, environment="lab", incident=None, redactor=None):
    return declare(
        folder,
        incident=incident,
        title="Trial",
        severity="SEV2",
        runbook="trial",
        environment=environment,
        by="sam",
        alert=alert,
        also=also,
        redactor=redactor or Redactor(),
    ).folder.name


def writable(folder, incident):
    return WritableTimeline(find(folder, incident).path, redactor=Redactor())


def test_a_group_is_one_incident_in_any_order_and_with_one_more_member(tmp_path):
    """Alert managers send a group again, sorted anew."""
    first = declared(tmp_path, FIRST)

    assert declared(tmp_path, SECOND, FIRST) == first
    assert declared(tmp_path, SECOND) == first
    assert {each.alert.fingerprint for each in find(tmp_path, first).of(Alerted)} == {"f1", "f2"}


def test_an_alert_that_joined_by_hand_is_of_that_incident(tmp_path):
    """Somebody named the incident once; the next delivery goes there too."""
    declared(tmp_path, FIRST, incident="INC-7")
    declared(tmp_path, SECOND, incident="INC-7")

    assert declared(tmp_path, SECOND) == "INC-7"


def test_an_alert_of_one_environment_never_joins_an_incident_of_another(tmp_path):
    """Production is not repaired in staging."""
    staging = declared(tmp_path, FIRST, environment="staging")
    production = declared(tmp_path, FIRST, environment="production")

    assert staging != production
    assert declared(tmp_path, FIRST, environment="staging") == staging


def test_a_label_that_speaks_of_closed_closes_nothing(tmp_path):
    """What is foreign is not read as ours."""
    hostile = Alert(name="A", fingerprint="f1", labels={"kind": "closed", "x": '"kind":"closed"'})
    first = declared(tmp_path, hostile)
    writable(tmp_path, first).append(Noted(at=Clock().now(), text='{"kind":"closed"}'))

    assert declared(tmp_path, hostile) == first
    assert [each.name for each in maybe_open(tmp_path)] == [first]


def test_a_long_resolution_closes_all_the_same(tmp_path):
    """The next alert of that trouble opens a new incident."""
    first = declared(tmp_path, FIRST)
    resolution = "It was the queue. " * 20_000
    writable(tmp_path, first).append(Closed(at=Clock().now(), by="sam", resolution=resolution))

    assert is_closed(find(tmp_path, first).path)
    assert declared(tmp_path, FIRST) != first


def test_a_lost_index_is_made_anew(tmp_path):
    """It is only a hint."""
    first = declared(tmp_path, FIRST)
    shutil.rmtree(IncidentsFolder(tmp_path).open_index)

    assert declared(tmp_path, FIRST) == first


def test_a_wrong_hint_gives_no_wrong_answer(tmp_path):
    """The timeline says whose an alert is."""
    first, second = declared(tmp_path, FIRST), declared(tmp_path, SECOND)
    for hint in IncidentsFolder(tmp_path).open_index.glob("*.alert"):
        hint.write_text(second)

    assert declared(tmp_path, FIRST) not in (first, second)
    for hint in IncidentsFolder(tmp_path).open_index.glob("*.alert"):
        hint.write_text("INC-404")
    assert declared(tmp_path, SECOND) not in (second, "INC-404")


@pytest.mark.parametrize("damage", [b"", b"not a line\n", b"\xff\xfe\n", b"[" * 50_000 + b"\n"])
def test_a_damaged_neighbour_stops_no_alert(tmp_path, damage):
    """Its folder is there, and cannot be read."""
    neighbour = tmp_path / "INC-2001"
    neighbour.mkdir()
    (neighbour / "timeline.jsonl").write_bytes(damage)

    assert declared(tmp_path, FIRST) == "INC-2002"
    assert declared(tmp_path, FIRST) == "INC-2002"


def test_a_number_of_sixty_digits_ends_no_automatic_ids(tmp_path):
    """It was given by hand."""
    declared(tmp_path, FIRST, incident=f"INC-{'9' * 60}")

    assert declared(tmp_path, SECOND) == "INC-2001"


def test_a_number_that_somebody_took_is_passed_over(tmp_path):
    """By hand, or by a folder that was put there."""
    assert declared(tmp_path, FIRST) == "INC-2001"
    declared(tmp_path, None, incident="INC-2002")
    (tmp_path / "INC-2003").mkdir()

    assert declared(tmp_path, SECOND) == "INC-2004"


def test_an_alert_that_meets_a_close_opens_the_next_incident(tmp_path):
    """It is not lost, and nothing is written after the close."""
    first = declared(tmp_path, FIRST)
    timeline = writable(tmp_path, first)
    timeline.append(Closed(at=Clock().now(), by="sam"))

    assert declared(tmp_path, FIRST) != first
    assert isinstance(find(tmp_path, first)[-1], Closed)


def test_a_resolved_alert_is_a_line_in_its_open_incident(tmp_path):
    """And none where it has none, or where that is closed."""
    first = declared(tmp_path, FIRST)
    over = {"environment": "lab", "by": "sam", "redactor": Redactor()}

    assert clear(tmp_path, alert=FIRST, **over) == first
    assert find(tmp_path, first).last(Cleared).alert.fingerprint == "f1"
    assert clear(tmp_path, alert=SECOND, **over) is None
    assert clear(tmp_path, alert=FIRST, **{**over, "environment": "staging"}) is None
    writable(tmp_path, first).append(Closed(at=Clock().now(), by="sam"))
    assert clear(tmp_path, alert=FIRST, **over) is None
    assert clear(tmp_path / "nowhere", alert=FIRST, **over) is None


def test_an_alert_that_is_delivered_twice_at_once_opens_one_incident(tmp_path):
    """The second delivery waits for the first one's line, and joins it."""
    joined = []
    meanwhile = Meanwhile(lambda: joined.append(declared(tmp_path, FIRST)))
    first = declared(tmp_path, FIRST, redactor=meanwhile)
    meanwhile.other.join()

    assert joined == [first]
    assert [each.name for each in IncidentsFolder(tmp_path).all()] == [first]


def test_an_alert_that_is_over_while_it_opens_an_incident_is_noted_there(tmp_path):
    """Looked up too early, its hint would be taken for a wrong one and removed."""
    over = {"environment": "lab", "by": "sam", "redactor": Redactor()}
    noted = []
    meanwhile = Meanwhile(lambda: noted.append(clear(tmp_path, alert=FIRST, **over)))
    first = declared(tmp_path, FIRST, redactor=meanwhile)
    meanwhile.other.join()

    assert noted == [first]
    assert declared(tmp_path, FIRST) == first


def test_a_lock_that_a_stranger_holds_is_named_and_not_waited_for_without_end(tmp_path):
    """Every run would hang without a word."""
    path = tmp_path / ".lock"
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with (
            pytest.raises(IncidentStateError, match=str(path)),
            locked(path, what="It is written", patience_s=0.1),
        ):
            pytest.fail("It was not free.")


def test_a_lock_can_be_opened_by_its_owner_alone(tmp_path):
    """Whoever may open it may hold it for ever."""
    with locked(tmp_path / ".lock", what="It is written"):
        assert stat.S_IMODE((tmp_path / ".lock").stat().st_mode) == 0o600
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_a_lock_that_others_could_open_is_shut_before_it_is_held(tmp_path):
    """An older version left it open to all."""
    (tmp_path / ".lock").touch()
    (tmp_path / ".lock").chmod(0o644)
    with locked(tmp_path / ".lock", what="It is written"):
        assert stat.S_IMODE((tmp_path / ".lock").stat().st_mode) == 0o600


def test_a_hint_is_there_before_the_line_it_leads_to(tmp_path):
    """Killed in between, a second delivery finds the incident; the other way it opens another."""
    seen = []

    class Looking(Redactor):
        def clean(self, value, depth=0):
            if not depth:
                hints = IncidentsFolder(tmp_path).open_index.glob("*.alert")
                seen.append([each.read_text() for each in hints])
            return super().clean(value, depth)

    incident = declared(tmp_path, FIRST, redactor=Looking())

    assert seen[0] == [incident]


def test_a_hint_to_an_incident_of_another_environment_is_a_wrong_one(tmp_path):
    """Production's alert never joins staging's incident, whatever a file says."""
    staging = declared(tmp_path, FIRST, environment="staging")
    lab = declared(tmp_path, FIRST)
    for hint in IncidentsFolder(tmp_path).open_index.glob("*.alert"):
        hint.write_text(staging)

    assert lab != staging
    assert declared(tmp_path, FIRST) not in (lab, staging)


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    """What it leads to would be emptied."""
    (tmp_path / "other").write_text("kept")
    (tmp_path / ".lock").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"), locked(tmp_path / ".lock", what="It is written"):
        pytest.fail("It was followed.")

    assert (tmp_path / "other").read_text() == "kept"


def test_the_end_of_a_timeline_is_read_as_events(tmp_path):
    """A half line and foreign lines say nothing."""
    path = tmp_path / "timeline.jsonl"
    for text, closed in [
        (json.dumps({"kind": "closed"}) + "\n", True),
        (json.dumps({"kind": "noted", "text": "kind: closed"}) + "\n", False),
        ('{"kind":"closed"', False),
        ("", False),
        (json.dumps({"kind": "closed", "x": "y" * 200_000}) + "\n", True),
        (json.dumps({"kind": "closed"}) + "\n" + json.dumps({"kind": "acted"}) + "\n", True),
    ]:
        path.write_text(text)
        assert is_closed(path) is closed, text[:40]
