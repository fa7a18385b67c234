"""Segments of the log: where each stands, and whether its content is its own."""

import struct
from pathlib import Path
from typing import Final

from runbook_nb.packs.control_plane.systems._database.backup_files import LOG_BYTES

# The head of a page of the log: magic, flags, timeline, and the address in the log.
_PAGE_HEADER: Final = struct.Struct("=HHIQ")


def number_of(segment: str, size: int) -> int:
    """Return the place of a segment in the log, whatever its timeline."""
    return int(segment[8:16], 16) * (LOG_BYTES // size) + int(segment[16:24], 16)


def segment_at(number: int, *, like: str, size: int) -> str:
    """Return the name of the segment at a place, on the timeline of another one."""
    log, place = divmod(number, LOG_BYTES // size)
    return f"{like[:8]}{log:08X}{place:08X}"


def flaw_of(segment: Path, *, size: int) -> str:
    """Say why an archived segment cannot be replayed; empty where its first page is its own."""
    if (found := segment.stat().st_size) != size:
        return f"{found} bytes, not {size}"
    with segment.open("rb") as file:
        header = file.read(_PAGE_HEADER.size)
    _magic, _flags, timeline, address = _PAGE_HEADER.unpack(header)
    if (timeline, address) != (int(segment.name[:8], 16), number_of(segment.name, size) * size):
        return "its first page is of another segment"
    return ""
