"""Archive an incident: its record as one page and one file of facts, sealed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from runbook_nb.record.facts import Record, made_by, plain_facts, read_events
from runbook_nb.record.history.similar import seen_before
from runbook_nb.record.page.notebook_html import fragment, read_notebook
from runbook_nb.record.page.page import ShownNotebook, page
from runbook_nb.record.proof import (
    Content,
    Reseal,
    Seal,
    contents_of,
    seal_record,
    without_copies,
)
from runbook_nb.redaction import Redactor, report_of
from runbook_nb.runbook.keys import NO_SEAL
from runbook_nb.text.files import write_atomically
from runbook_nb.timeline.folder import FACTS, PAGE, RECORDED, TIMELINE, IncidentFolder
from runbook_nb.timeline.log import Timeline


def write_record(
    folder: Path,
    *,
    redactor: Redactor | None = None,
    seal: Seal = NO_SEAL,
    reseals: Sequence[Reseal] = (),
) -> Path:
    """Write page, facts and seal of an incident's folder; return the page's path.

    What is missing, cut off or altered in the folder is said in the page. The seal comes last,
    over everything else.
    """
    places = IncidentFolder(folder)
    timeline = Timeline(places.timeline)
    events, integrity = read_events(timeline)
    record = Record.of_events(events, folder=folder, integrity=integrity)
    before = seen_before(folder, events)
    redaction = report_of(folder, lines=TIMELINE, without=RECORDED, redactor=redactor)
    html = page(
        record,
        events,
        notebooks=[
            _shown(path, place=place, redactor=redactor)
            for place, path in enumerate(places.all_executed(), start=1)
        ],
        contents=_older(contents_of(folder)),
        before=before,
        redaction=redaction,
        # A template that could reach the key could print it.
        seal=replace(seal, key=None),
        reseals=reseals,
    )
    facts = {
        "record": record.to_json(),
        "made_by": made_by(),
        "sealed_by": seal.fingerprint,
        "reseals": [asdict(each) for each in reseals],
        "redaction": plain_facts(redaction),
        "similar": [plain_facts(each) for each in before.similar],
    }
    write_atomically(places.page, html)
    write_atomically(places.facts, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    seal_record(
        folder,
        incident=record.id,
        head=integrity.head,
        events=integrity.events,
        made_by=made_by(),
        seal=seal,
        reseals=reseals,
    )
    return places.page


def _older(contents: list[Content]) -> list[Content]:
    """Return what was there before the record: the page cannot hold its own hash."""
    kept = without_copies(contents, of=contents)
    return [each for each in kept if each.path not in (PAGE, FACTS)]


def _shown(path: Path, *, place: int, redactor: Redactor | None) -> ShownNotebook:
    try:
        notebook = read_notebook(path, redactor=redactor)
        return ShownNotebook(name=path.name, html=fragment(notebook, prefix=f"run{place}-"))
    except Exception as error:  # noqa: BLE001 - whatever is in the file, the record is written
        problem = f"It cannot be shown: {_words(error)}. Its bytes are kept as they are."
        return ShownNotebook(name=path.name, problem=problem)


def _words(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error).partition("\n")[0][:200]
    return said.rstrip(".") or type(error).__name__
