"""The list of the archive: one row an incident, and the words it is found by in the browser."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from runbook_nb.incident.cards.description import SIGNS, Tone
from runbook_nb.record.history import IncidentLine, IncidentStanding
from runbook_nb.record.history.search_words import tokens
from runbook_nb.record.site.copies import RECORDS
from runbook_nb.record.site.proofs import Proof
from runbook_nb.text.formatting import one_line
from runbook_nb.timeline.folder import PAGE

_SHOWN_PROBLEMS: Final = 3
_GIST: Final = 130  # characters: three lines of a row
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One incident in the list; ``link`` is relative to the index and empty without a page."""

    line: IncidentLine
    link: str
    standing: IncidentStanding
    sign: str
    gist: str
    vouched: str
    problems: tuple[str, ...]


def row_of(line: IncidentLine, proof: Proof) -> Row:
    """Return the row of an incident; whatever is wrong with it is in the row."""
    is_broken = bool(proof.problems) or line.standing is IncidentStanding.NOT_WHOLE
    standing = IncidentStanding.NOT_WHOLE if is_broken else line.standing
    return Row(
        line=line,
        link=f"{RECORDS}/{quote(line.folder)}/{PAGE}" if proof.is_shown else "",
        standing=standing,
        sign=SIGNS[_tone(standing)],
        gist=one_line(line.summary, _GIST),
        vouched=proof.vouched,
        problems=_shown(proof.problems or ((line.problem,) if line.problem else ())),
    )


def lookup(rows: Sequence[Row], words: Iterable[str]) -> str:
    """Return what the search of the page needs, as JSON that cannot end the element around it.

    ``rows`` holds the values to filter by, in the order of the list. ``words`` maps each word to
    the places of the rows that have it, each as the distance from the one before, in base 36.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, (row, text) in enumerate(zip(rows, words, strict=True)):
        for token in dict.fromkeys(tokens(f"{row.line.folder} {row.line.title} {text}")):
            places[token].append(place)
    told = {
        "rows": [_values(row) for row in rows],
        "words": {token: _distances(found) for token, found in sorted(places.items())},
    }
    plain = json.dumps(told, ensure_ascii=True, separators=(",", ":"))
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _values(row: Row) -> list[object]:
    line = row.line
    return [
        list(line.runbooks),
        line.severity,
        line.verdict,
        line.month,
        row.standing,
        int(line.is_drill),
    ]


def _distances(places: Sequence[int]) -> str:
    before, told = 0, []
    for place in places:
        told.append(_base36(place - before))
        before = place
    return " ".join(told)


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
        if not number:
            return digits


def _tone(standing: IncidentStanding) -> Tone:
    tones = {
        IncidentStanding.OPEN: Tone.WARN,
        IncidentStanding.CLOSED: Tone.PLAIN,
        IncidentStanding.NOT_WHOLE: Tone.FAIL,
    }
    return tones[standing]


def _shown(problems: Sequence[str]) -> tuple[str, ...]:
    shown = tuple(one_line(problem) for problem in problems[:_SHOWN_PROBLEMS])
    more = len(problems) - len(shown)
    return (*shown, f"And {more} more.") if more > 0 else shown
