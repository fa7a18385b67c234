"""Archive an incident: its record as one page and one file of facts, both provable later."""

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from runbook_nb.archive.fragment import fragment, read_notebook
from runbook_nb.archive.page import Attachment, ShownNotebook, page
from runbook_nb.errors import RecordIntegrityError
from runbook_nb.record import Record, read_events
from runbook_nb.redaction import Redactor
from runbook_nb.timeline import Timeline

PAGE: Final = "record.html"
FACTS: Final = "record.json"
TIMELINE: Final = "timeline.jsonl"


def write_record(folder: Path, *, redactor: Redactor | None = None) -> Path:
    """Write ``record.html`` and ``record.json`` of an incident's folder; return the page's path.

    What is missing, cut off or altered in the folder is said in the page.
    """
    timeline = Timeline(folder / TIMELINE)
    events, integrity = read_events(timeline)
    record = Record.of_events(events, incident=folder.name, integrity=integrity)
    attachments = attachments_of(folder)
    html = page(
        record,
        events,
        notebooks=[
            _shown(path, place=place, redactor=redactor)
            for place, path in enumerate(sorted((folder / "runs").glob("*.ipynb")), start=1)
        ],
        attachments=attachments,
    ).encode("utf-8", "replace")
    facts = {
        "record": record.to_json(),
        "made_by": _made_by(),
        "page_sha256": hashlib.sha256(html).hexdigest(),
        "files": {each.path: {"sha256": each.sha256, "size": each.size} for each in attachments},
    }
    _write(folder / PAGE, html)
    _write(folder / FACTS, json.dumps(facts, indent=1, ensure_ascii=False).encode())
    return folder / PAGE


def verify_record(folder: Path) -> list[str]:
    """Return what does not match the record: files altered, added, removed, a broken timeline."""
    try:
        facts = json.loads((folder / FACTS).read_bytes())
        listed, page_sha256 = dict(facts["files"]), facts["page_sha256"]
        head = facts["record"]["integrity"]["head"]
    except FileNotFoundError:
        return [f"{FACTS} is missing: the record was not written, or was removed."]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{FACTS} cannot be read: {error}."]
    found = {each.path: each.sha256 for each in attachments_of(folder)}
    problems = [f"removed: {path}" for path in listed if path not in found]
    problems += [f"added: {path}" for path in found if path not in listed]
    problems += [
        f"altered: {path}"
        for path, sha256 in found.items()
        if path in listed and listed[path].get("sha256") != sha256
    ]
    problems += _page_problems(folder / PAGE, page_sha256)
    return sorted(problems) + _timeline_problems(folder, facts, head)


def attachments_of(folder: Path) -> list[Attachment]:
    """Return every file of the folder with hash and size, but the record's own and hidden ones.

    Locks and the copies that editors keep are hidden files.
    """
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink())
    named = ((path.relative_to(folder), path) for path in paths)
    return [
        _attachment(name, path)
        for name, path in named
        if str(name) not in (PAGE, FACTS) and not any(part.startswith(".") for part in name.parts)
    ]


def _attachment(name: Path, path: Path) -> Attachment:
    if path.is_symlink():
        target = str(path.readlink()).encode()
        return Attachment(
            path=str(name), sha256=hashlib.sha256(b"link to " + target).hexdigest(), size=0
        )
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Attachment(path=str(name), sha256=sha256, size=file.tell())


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


def _page_problems(path: Path, page_sha256: str) -> list[str]:
    if not path.is_file():
        return [f"removed: {PAGE}"]
    fits = hashlib.sha256(path.read_bytes()).hexdigest() == page_sha256
    return [] if fits else [f"altered: {PAGE}"]


def _timeline_problems(folder: Path, facts: dict[str, Any], head: str) -> list[str]:
    timeline = Timeline(folder / TIMELINE)
    try:
        now = timeline.verify()
    except RecordIntegrityError as error:
        return [str(error)]
    except OSError as error:
        return [f"{TIMELINE} cannot be read: {error.strerror}."]
    if now != head:
        return [f"{TIMELINE}: its head hash is not the one in {FACTS}."]
    # Another version of the program may fold the same events into other facts.
    if facts.get("made_by") == _made_by() and facts["record"] != Record.of(timeline).to_json():
        return [f"altered: {FACTS} (its facts are not those of the timeline)"]
    return []


def _made_by() -> str:
    return f"runbook-nb {version('runbook-nb')}"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
