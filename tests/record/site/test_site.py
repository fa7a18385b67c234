"""The archive is a folder to take along: whole, honest about what is wrong, and cheap to renew."""

import json
import os
import re
import shutil
import threading
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from many import write_many
from runbook_nb.errors import IncidentStateError
from runbook_nb.record.page import write_record
from runbook_nb.record.proof import verify_record
from runbook_nb.record.site import Built, build, keep_matrix
from runbook_nb.record.site.state import FILE
from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import Closed, Noted
from runbook_nb.timeline.folder import PAGE
from runbook_nb.timeline.writer import WritableTimeline
from story import START, Elements, Story, heartbeat

PAYLOAD = (
    "</script><script>document.title='ran'</script>\"'><img src=x onerror=alert(1)>"
    "{{ 7*7 }}\x1b[31m"
)


def text_of(path: Path) -> str:
    """Return the text of a page as a reader sees it, without style and script."""
    html = re.sub(r"<(style|script)[^>]*>.*?</\1>", " ", path.read_text(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def rows_of(site: Path) -> dict[str, str]:
    """Return the rows of the index: folder and what stands in the row."""
    html = (site / "index.html").read_text().partition("<tbody>")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL)
    told = [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]
    return {row.split()[0]: row for row in told}


def links_of(page: Path) -> set[Path]:
    """Return the files a page leads to."""
    found = re.findall(r'href="([^"#]*)', page.read_text())
    return {page.parent / unquote(unescape(each)) for each in found if each != "data:,"}


def test_every_link_stays_in_the_folder_and_leads_somewhere(built, site, tmp_path):
    """Taken to a web host or a stick, it works as it did here."""
    built()
    elsewhere = tmp_path / "media" / "stick"
    shutil.move(site, elsewhere)
    pages = [*elsewhere.glob("*.html"), *elsewhere.glob("runbooks/*")]
    linked = {link.resolve() for page in pages for link in links_of(page)}

    assert len(linked) == 6
    assert all(link.is_file() and link.is_relative_to(elsewhere) for link in linked)


def test_a_copied_record_can_be_verified_where_it_is(built, site):
    """An auditor with the stick alone can prove it."""
    built()

    assert verify_record(site / "incidents" / "INC-2001").problems == ()


def test_the_index_lists_every_incident_newest_first(built, site):
    """Closed with its record, open without one."""
    assert built().incidents == 3
    rows = rows_of(site)

    assert list(rows) == ["INC-2003", "INC-2002", "INC-2001"]
    assert "open No record yet" in rows["INC-2003"]
    assert "closed Sealed with the key of who made this archive." in rows["INC-2001"]
    assert "✓ pass" in rows["INC-2001"]


def test_an_altered_page_is_listed_and_not_shown(built, incidents, site):
    """A page that is not as it was sealed could hold a script."""
    page = incidents / "INC-2001" / PAGE
    page.write_text(page.read_text() + "<script>document.title='ran'</script>")

    (problem,) = built().wrong["INC-2001"]
    assert problem.startswith("altered: record.html")
    assert "not whole" in rows_of(site)["INC-2001"]
    assert not (site / "incidents" / "INC-2001" / PAGE).exists()
    assert 'href="incidents/INC-2001' not in (site / "index.html").read_text()


def test_what_is_wrong_stands_in_the_row(built, incidents, site):
    """Altered timelines, missing seals, empty folders: none is dropped."""
    timeline = incidents / "INC-2001" / "timeline.jsonl"
    timeline.write_bytes(timeline.read_bytes().replace(b"export", b"exp0rt"))
    (incidents / "INC-2002" / "record.dsse.json").unlink()
    (incidents / "INC-2009").mkdir()
    write_many(incidents, 1)
    told = built()
    rows = rows_of(site)

    assert told.wrong.keys() == {"INC-2001", "INC-2002", "INC-2009", "INC-3001"}
    assert "does not match its hash" in rows["INC-2001"]
    assert "removed: record.dsse.json" in rows["INC-2002"]
    assert "No such file" in rows["INC-2009"]
    assert "It has no record. Make it: runbook archive INC-3001" in rows["INC-3001"]


def test_a_link_out_of_a_record_is_not_taken_along(built, incidents, site, seal, tmp_path):
    """On a web host it could lead to any file."""
    (tmp_path / "secret").write_text("x")
    (incidents / "INC-2001" / "link").symlink_to(tmp_path / "secret")
    write_record(incidents / "INC-2001", seal=seal)
    built()

    assert not os.path.lexists(site / "incidents" / "INC-2001" / "link")


def test_a_second_build_touches_nothing(built, site):
    """Nothing changed, nothing written."""
    built()
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.name != FILE}
    told = built()

    assert (told.records, told.pages, told.removed) == ((), (), ())
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_changed_record_is_always_taken_anew(built, incidents, site, seal):
    """One event more, one record more to copy."""
    built()
    closed = Closed(at=START + timedelta(hours=1))
    WritableTimeline(incidents / "INC-2003" / "timeline.jsonl", redactor=Redactor()).append(closed)
    write_record(incidents / "INC-2003", seal=seal)
    told = built()

    assert told.records == ("INC-2003",)
    assert (site / "incidents" / "INC-2003" / PAGE).is_file()
    assert told.pages == ("index.html", "runbooks/streaming-heartbeat.html")


def test_a_change_that_keeps_size_and_time_is_seen(built, incidents):
    """Setting a file's time back hides nothing."""
    built()
    page = incidents / "INC-2001" / PAGE
    before = page.stat()
    page.write_bytes(page.read_bytes().replace(b"4 of 10", b"0 of 10"))
    os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))

    (problem,) = built().wrong["INC-2001"]
    assert problem.startswith("altered: record.html")


def test_a_copy_that_was_altered_in_the_site_is_copied_again(built, site):
    """The site follows the incidents and not the other way round."""
    built()
    page = site / "incidents" / "INC-2001" / PAGE
    whole = page.read_bytes()
    page.write_bytes(b"other")

    assert built().records == ("INC-2001",)
    assert page.read_bytes() == whole


def test_a_removed_incident_vanishes(built, incidents, site):
    """From the list, the folder, and the pages of runbooks that nobody ran any more."""
    Story(incidents / "INC-2004").tell(Noted, text="x")
    built()
    for name in ("INC-2001", "INC-2002", "INC-2003"):
        shutil.rmtree(incidents / name)
    told = built()

    assert told.removed == (
        "incidents/INC-2001",
        "incidents/INC-2002",
        "runbooks/streaming-heartbeat.html",
    )
    assert list(rows_of(site)) == ["INC-2004"]


def test_a_build_that_was_cut_off_is_done_again(built, site):
    """What was not written last is not believed."""
    built()
    (site / FILE).write_text("{")
    (site / "index.html").unlink()

    assert len(built().records) == 3
    assert (site / "index.html").is_file()


def test_with_another_known_key_every_record_is_proven_anew(built, site, monkeypatch, tmp_path):
    """Whoever builds elsewhere does not know this key."""
    built()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    built()

    assert (
        "Sealed by a key that was not known where this archive was made."
        in (rows_of(site)["INC-2001"])
    )


@pytest.mark.parametrize("place", ["incidents", "incidents/INC-2001/x", "incidents/archive", "."])
def test_the_archive_stays_out_of_the_incidents(incidents, tmp_path, place):
    """Its files would be taken for those of a record."""
    with pytest.raises(IncidentStateError, match="must not lie in"):
        build(incidents, tmp_path / place)


def test_a_folder_with_other_things_is_refused(incidents, tmp_path):
    """Nothing of anybody is overwritten."""
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "index.html").write_text("mine")

    with pytest.raises(IncidentStateError, match="holds something that is no archive"):
        build(incidents, other)
    assert (other / "index.html").read_text() == "mine"


def test_two_builds_at_once_make_one_whole_archive(incidents, site):
    """The second waits, and finds the work done."""
    write_many(incidents, 30)
    told: list[Built] = []
    threads = [
        threading.Thread(target=lambda: told.append(build(incidents, site))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(len(each.records) for each in told) == [0, 0, 33]
    assert verify_record(site / "incidents" / "INC-2001").problems == ()


def test_an_empty_folder_of_incidents_makes_an_archive(tmp_path, site, seal):
    """The first one says that there is none yet."""
    (tmp_path / "incidents").mkdir()
    build(tmp_path / "incidents", site)

    assert "No incident yet." in text_of(site / "index.html")
    assert "None yet." in text_of(site / "metrics.html")


def test_the_page_of_a_runbook_says_how_it_served(built, site):
    """Runs, time to verdict, what fails, what is skipped, what is chosen, when it was proven."""
    built()
    said = text_of(site / "runbooks" / "streaming-heartbeat.html")

    assert "There is no runbook of this name any more" in said
    assert "Runs 3, 3 by hand" in said
    assert "Heartbeat lag p95 over 15 minutes 2 2 0 0" in said
    assert "Open a ticket. 1" in said
    assert "Option A: Restart the agent 2" in said


def test_the_page_of_a_runbook_that_exists_says_when_it_was_validated(incidents, built, site):
    """As its header says now."""
    write_many(incidents, 8)
    built()
    said = text_of(site / "runbooks" / "heartbeat_failure_recovery.html")

    assert re.search(r"Last validated (never|\d{4}-\d\d-\d\d)", said)


def test_drills_are_marked_and_counted_apart(incidents, built, site):
    """A drill says nothing of how long a night takes."""
    WritableTimeline(incidents / "INC-2003" / "timeline.jsonl", redactor=Redactor()).append(
        Closed(at=START, resolution="drill")
    )
    built()

    assert "drill" in rows_of(site)["INC-2003"]
    assert "3 incidents, 1 drill among them" in text_of(site / "index.html")
    nights, drills = text_of(site / "metrics.html").split(" Drills ", 1)
    assert "2026-11 2 " in nights
    assert "2026-11 1 " in drills


def test_the_metrics_say_each_chart_in_words(incidents, built, site):
    """A drawing tells nothing that its label does not."""
    write_many(incidents, 40)
    built()
    labels = re.findall(r'aria-label="([^"]+)" viewBox', (site / "metrics.html").read_text())

    assert any(re.match(r"Incidents a month, SEV2: 2025-01 \d+,", each) for each in labels)
    assert any("Time to resolve by severity, median, incidents: SEV1" in each for each in labels)


def test_hostile_words_stay_words(incidents, built, site):
    """Title, severity, runbook, folder name: none becomes markup, none ends the script."""
    write_many(incidents, 1, titles=PAYLOAD)
    story = Story(incidents / "<img src=x onerror=alert(1)>")
    story.opens(title=PAYLOAD, severity=PAYLOAD)
    shutil.copytree(incidents / "INC-2002", incidents / "a b&c#d?e%20'f")
    built()
    for page in (site / "index.html", site / "metrics.html", *site.glob("runbooks/*")):
        html = page.read_text()
        scripts = re.findall(r"<script", html)
        assert len(scripts) == (2 if page.name == "index.html" else 0)
        assert "<img" not in html
        assert "\x1b" not in html
        assert "{{ 7*7 }}" in html or page.name == "metrics.html"
        bare = re.sub(r"<(script|svg|form)\b.*?</\1>|<wbr>", "", html, flags=re.DOTALL)
        assert not Elements(bare).open


def test_the_policy_allows_the_own_script_alone(built, site):
    """By its hash; no other page has any."""
    built()
    policies = {
        page.name: re.search(r'Content-Security-Policy" content="([^"]+)"', page.read_text())[1]
        for page in (site / "index.html", site / "metrics.html")
    }

    assert re.search(r"script-src 'sha256-[\w+/=]+'$", policies["index.html"])
    assert "script-src" not in policies["metrics.html"]
    assert all(policy.startswith("default-src 'none'") for policy in policies.values())


def test_the_state_holds_no_words(built, site):
    """It goes where the site goes."""
    built()

    assert json.loads((site / FILE).read_text()).keys() == {"made_by", "keys", "records"}
    assert "heartbeat" not in (site / FILE).read_text().casefold()


def test_one_incident_alone_is_an_archive(tmp_path, site, seal):
    """One bar, one row."""
    heartbeat(tmp_path / "incidents" / "INC-1")
    build(tmp_path / "incidents", site)

    assert list(rows_of(site)) == ["INC-1"]


def test_the_newest_matrix_of_drills_is_a_page(built, site, incidents):
    """With each wrong answer in words; without one it says how it is run."""
    built()
    assert "runbook drill --matrix" in text_of(site / "matrix.html")
    told = {"fault": "agent_hung", "failed": ["Lag <b>"], "took_s": 1.5}
    own = {**told, "runbook": "one", "answer": "own", "option": "Option A: Do", "is_right": True}
    wrong = {**told, "runbook": "two", "answer": "wrong", "option": "Option B", "is_right": False}
    keep_matrix(incidents, [own, wrong], at=datetime(2026, 11, 27, tzinfo=UTC))

    built()

    text = text_of(site / "matrix.html")
    assert "2 answers, 1 wrong." in text
    assert "agent_hung seen by two: Option B (Lag <b>)" in text
    keep_matrix(incidents, [{"fault": "half"}], at=datetime(2026, 11, 27, tzinfo=UTC))
    built()
    assert "runbook drill --matrix" in text_of(site / "matrix.html")
