"""Whatever is changed in a record is found, and the file is named."""

import json
import os
import random
import re
import shutil

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook_nb.record.page import write_record
from runbook_nb.record.proof import (
    EnvelopeError,
    Seal,
    SignerTrust,
    read_envelope,
    seal_record,
    signing_seal,
)
from runbook_nb.timeline.events import Noted, Verdict
from runbook_nb.timeline.folder import ENVELOPE
from story import Story, healthy

REGIONS = 20  # places sampled in each file
FILES = [
    "record.dsse.json",
    "record.html",
    "record.json",
    "runs/one.ipynb",
    "timeline.jsonl",
]


def _altered(content: bytes, place: int, kind: str) -> bytes:
    match kind:
        case "flip":
            return content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :]
        case "insert":
            return content[:place] + b" " + content[place:]
        case "delete":
            return content[:place] + content[place + 1 :]
        case _:
            return content[:place]


def test_every_file_of_a_record_is_tampered_with_here(sealed):
    """A new kind of file gets into these tests."""
    paths = (str(path.relative_to(sealed)) for path in sealed.rglob("*") if path.is_file())
    assert sorted(path for path in paths if not path.startswith("working/")) == FILES


@pytest.mark.parametrize("kind", ["flip", "insert", "delete", "truncate"])
@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_anywhere_is_found_and_its_file_is_named(sealed, said, name, kind):
    """At many places of each file, the first and the last byte too."""
    content = (sealed / name).read_bytes()
    chance = random.Random(name + kind)  # noqa: S311 - places to look at, no secret
    places = {0, len(content) - 1, *chance.sample(range(len(content)), REGIONS)}
    for place in sorted(places):
        (sealed / name).write_bytes(_altered(content, place, kind))
        assert any(name in line for line in said(sealed)), place
    (sealed / name).write_bytes(content)
    assert said(sealed) == []


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(FILES),
    cut=st.tuples(st.floats(0, 1), st.integers(0, 400)),
    put=st.binary(max_size=40),
)
def test_any_part_exchanged_for_any_other_is_found(sealed, said, name, cut, put):
    """Cuts and pastes, wherever they are and whatever they hold."""
    content = (sealed / name).read_bytes()
    place = round(cut[0] * len(content))
    changed = content[:place] + put + content[place + cut[1] :]
    (sealed / name).write_bytes(changed)
    lines = said(sealed)
    (sealed / name).write_bytes(content)

    assert any(name in line for line in lines) is (changed != content)


def test_the_bits_of_the_envelope_count(sealed, tmp_path):
    """Base64 has spare bits and JSON has spare spaces; none of them is free here."""
    content, path = (sealed / ENVELOPE).read_bytes(), tmp_path / "flipped"
    ends = [end.start() - 1 for end in re.finditer(rb'=*"', content)]
    for place in sorted({*range(0, len(content), 7), *ends}):
        for bit in range(8):
            flipped = bytes([content[place] ^ 1 << bit])
            path.write_bytes(content[:place] + flipped + content[place + 1 :])
            with pytest.raises(EnvelopeError):
                read_envelope(path)


def test_the_bytes_of_an_unsigned_envelope_count(folder, said):
    """Without a signature, each word of it is held against the files."""
    write_record(folder, seal=Seal(reason="There is no key."))
    content = (folder / ENVELOPE).read_bytes()
    for place in range(0, len(content), 2):
        (folder / ENVELOPE).write_bytes(_altered(content, place, "flip"))
        assert said(folder), place


def test_files_added_and_removed_are_named(sealed, said):
    """Hidden ones, pipes, links and an editor's copies too: each can carry something."""
    (sealed / "runs" / "one.ipynb").unlink()
    (sealed / "note.txt").write_text("new")
    (sealed / ".hidden").touch()
    os.mkfifo(sealed / "pipe")
    (sealed / "elsewhere").symlink_to("/")
    (sealed / "runs" / ".ipynb_checkpoints").mkdir()
    (sealed / "runs" / ".ipynb_checkpoints" / "one-checkpoint.ipynb").write_text("{}")

    assert said(sealed) == [
        "added: .hidden",
        "added: elsewhere",
        "added: note.txt",
        "added: pipe",
        "added: runs/.ipynb_checkpoints/one-checkpoint.ipynb",
        "removed: runs/one.ipynb",
    ]


def test_a_file_with_a_name_that_is_no_text_is_sealed_and_named(folder, environ, said):
    """It neither stops the record nor reaches the reader's terminal."""
    path = folder / os.fsdecode(b"bad\xff\x1b[31m\n")
    path.touch()
    write_record(folder, seal=signing_seal(environ))
    assert said(folder) == []

    path.unlink()
    assert said(folder) == [r"removed: bad\udcff\x1b[31m\n"]


def test_a_link_to_the_same_bytes_is_not_the_file(sealed, said, tmp_path):
    """What it leads to can change after the proof."""
    shutil.move(sealed / "record.json", tmp_path / "record.json")
    (sealed / "record.json").symlink_to(tmp_path / "record.json")

    assert said(sealed) == ["altered: record.json"]


def test_who_only_looks_does_not_break_a_seal(sealed, said):
    """JupyterLab makes a copy of a notebook that is opened, and a verb touches its lock."""
    (sealed / ".acting").touch()
    copies = sealed / "runs" / ".ipynb_checkpoints"
    copies.mkdir()
    shutil.copy(sealed / "runs" / "one.ipynb", copies / "one-checkpoint.ipynb")

    assert said(sealed) == []


def test_a_lock_that_holds_something_is_a_file(sealed, said):
    """It would be a place to hide."""
    (sealed / ".acting").write_text("hidden")

    assert said(sealed) == ["added: .acting"]


def test_a_working_copy_that_is_saved_after_the_close_changes_nothing(sealed, verified):
    """A tab that is still open saves on; what was run in it is sealed under runs."""
    (sealed / "working" / "one.ipynb").write_text("{}")
    (sealed / "working" / "two.ipynb").write_text("{}")
    (sealed / "working" / ".ipynb_checkpoints").mkdir()

    assert verified(sealed).problems == ()


def test_an_empty_folder_is_named(sealed, verified):
    """It was not there when the record was sealed."""
    (sealed / "runs" / "empty").mkdir()

    assert [str(each) for each in verified(sealed).problems] == ["added: runs/empty/"]


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "\x1b[2Jx", "a\\nb", "\u202ex"])
def test_a_file_of_an_odd_name_is_named_on_one_line(sealed, verified, name):
    """A line break in it must not hide it."""
    (sealed / name).write_text("x")
    (problem,) = map(str, verified(sealed).problems)

    assert problem.startswith("added: ")
    assert problem.isprintable()


def test_a_record_in_the_place_of_another_is_an_exchange(sealed, verified):
    """Both are whole, and each tells another night."""
    moved = sealed.rename(sealed.with_name("INC-7"))
    found = verified(moved)

    assert [each.change for each in found.problems] == ["in the place of another"]
    assert found.verdict is Verdict.FAIL


def test_events_that_were_dropped_are_counted(sealed, verified):
    """Whole lines: what is left fits its own chain."""
    lines = (sealed / "timeline.jsonl").read_bytes().splitlines(keepends=True)
    (sealed / "timeline.jsonl").write_bytes(b"".join(lines[:-3]))

    assert "cut off: timeline.jsonl (22 of 25 events are left)" in map(
        str, verified(sealed).problems
    )


def test_events_that_came_later_are_counted(sealed, verified):
    """A run that went on after the close is not somebody who rewrote the story."""
    Story(sealed).forge(Noted, text="One more word.")

    assert "added: timeline.jsonl (1 after the 25 events that were sealed)" in map(
        str, verified(sealed).problems
    )


def test_events_in_another_order_are_named(sealed, verified):
    """The chain says from which event on."""
    lines = (sealed / "timeline.jsonl").read_bytes().splitlines(keepends=True)
    lines[20], lines[21] = lines[21], lines[20]
    (sealed / "timeline.jsonl").write_bytes(b"".join(lines))

    assert "event 21 does not match its hash" in str(verified(sealed).problems[-1])


def test_another_timeline_that_fits_itself_is_found(sealed, said, verified):
    """A chain that was written anew is not the one that was sealed."""
    (sealed / "timeline.jsonl").unlink()
    healthy(sealed)

    assert "altered: timeline.jsonl" in said(sealed)
    assert verified(sealed).verdict is Verdict.FAIL


def test_who_cuts_the_story_and_recomputes_the_record_without_the_key_is_found(
    sealed, said, verified, thief
):
    """Page and facts fit the shorter story, but the old seal does not."""
    old = (sealed / ENVELOPE).read_bytes()
    lines = (sealed / "timeline.jsonl").read_bytes().splitlines(keepends=True)
    (sealed / "timeline.jsonl").write_bytes(b"".join(lines[:-3]))
    write_record(sealed, seal=signing_seal(thief))
    assert verified(sealed).signer.standing is SignerTrust.UNKNOWN
    assert verified(sealed).verdict is Verdict.WARN

    (sealed / ENVELOPE).write_bytes(old)
    for name in ("timeline.jsonl", "record.html", "record.json"):
        assert f"altered: {name}" in said(sealed)
    assert "cut off: timeline.jsonl" in said(sealed)


@pytest.mark.parametrize("signed", [True, False])
def test_an_envelope_of_another_key_or_of_none_is_not_that_of_the_record(
    sealed, verified, thief, signed
):
    """The facts name who signs, and cannot be changed without changing the envelope."""
    was = read_envelope(sealed / ENVELOPE)
    seal_record(
        sealed,
        incident=was.incident,
        head=was.head,
        events=was.events,
        made_by=was.made_by,
        seal=signing_seal(thief) if signed else Seal(reason="There is no key."),
    )

    (problem,) = verified(sealed).problems
    assert (problem.change, problem.path) == ("altered", ENVELOPE)
    assert was.fingerprint in problem.said


def test_an_older_seal_does_not_fit_a_longer_story(sealed, environ, said):
    """Replaying what was once true does not help."""
    old = (sealed / ENVELOPE).read_bytes()
    Story(sealed).forge(Noted, text="One more word.")
    write_record(sealed, seal=signing_seal(environ))
    (sealed / ENVELOPE).write_bytes(old)

    assert {"added: timeline.jsonl", "altered: record.html"} <= set(said(sealed))


def test_facts_that_are_not_those_of_the_timeline_are_found_though_sealed(
    sealed, environ, verified
):
    """Also who holds the key cannot tell another story than the events do."""
    facts = json.loads((sealed / "record.json").read_text())
    facts["record"]["verdict"] = "warn"
    (sealed / "record.json").write_text(json.dumps(facts))
    was = read_envelope(sealed / ENVELOPE)
    seal_record(
        sealed,
        incident=was.incident,
        head=was.head,
        events=was.events,
        made_by=was.made_by,
        seal=signing_seal(environ),
    )

    (problem,) = verified(sealed).problems
    assert str(problem) == "altered: record.json (its facts are not those of the timeline)"


def test_a_signature_that_was_taken_away_is_found(sealed, verified):
    """A signed statement without its signature is not an unsigned one."""
    envelope = json.loads((sealed / ENVELOPE).read_text())
    (sealed / ENVELOPE).write_bytes(rfc8785.dumps({**envelope, "signatures": []}) + b"\n")

    assert "its signature is missing" in str(verified(sealed).problems[0])


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"null", b"\xff", b'{"payload": 3}', b"[" * 100_000]
)
def test_an_envelope_that_is_none_is_a_problem_and_no_crash(sealed, said, content):
    """Proof that is broken proves nothing, but the timeline still has its chain."""
    (sealed / ENVELOPE).write_bytes(content)
    assert said(sealed) == [f"altered: {ENVELOPE}"]

    story = (sealed / "timeline.jsonl").read_bytes()
    (sealed / "timeline.jsonl").write_bytes(story[:-40])
    assert said(sealed) == [f"altered: {ENVELOPE}", "cut off: timeline.jsonl"]


def test_a_line_that_is_deeply_nested_is_a_problem_and_no_crash(sealed, said):
    """It could keep a reviewer from looking further."""
    (sealed / "timeline.jsonl").write_bytes(b"[" * 100_000 + b"\n")

    assert set(said(sealed)) == {"altered: timeline.jsonl"}


def test_a_seal_that_was_taken_away_is_named(sealed, said, verified):
    """Without it nothing is proven."""
    (sealed / ENVELOPE).unlink()

    assert said(sealed) == [f"removed: {ENVELOPE}"]
    assert verified(sealed).verdict is Verdict.FAIL


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_what_cannot_be_read_is_not_judged(sealed, said, verified):
    """No reading, no opinion."""
    for name in ("runs/one.ipynb", "runs", "timeline.jsonl"):
        mode = (sealed / name).stat().st_mode
        (sealed / name).chmod(0)
        assert said(sealed) == [f"cannot be read: {name}"]
        assert verified(sealed).verdict is Verdict.UNKNOWN
        (sealed / name).chmod(mode)
