"""How values are said on cards, in records and on terminals: numbers, rows, times, lengths."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import ndiff
from itertools import islice
from typing import Final

from runbook_nb.text.control_characters import visible
from runbook_nb.text.values import Json

LINE_LIMIT: Final = 300  # characters of a title or fact: three lines of a card
BLOCK_LIMIT: Final = 4_000  # characters of folded text: about one screen
CELL_LIMIT: Final = 120
SHOWN_ROWS: Final = 20
SHOWN_COLUMNS: Final = 8
_BOUND = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
# The first word of a unit in the plural; a unit of time or size (s, ms, GB) is too short for one.
_PLURAL = re.compile(
    r"^([a-z]{2,}?)(ies|(?:(?<=x)|(?<=ss)|(?<=ch)|(?<=sh))es|(?<=[a-z]{3})(?<![sui])s)(?=$|[/ ])"
)
_CUT_ROWS = re.compile(r"\[cut: ([\d,]+) rows in all\]")


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Rows ready to be shown as a small table; ``left_out`` says what is not shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: str = ""


def one_line(text: object, limit: int = LINE_LIMIT) -> str:
    """Return a text on one line, harmless on any screen, and cut to ``limit`` characters."""
    # Cut before the pattern runs: a text may be megabytes long.
    said = " ".join(visible(str(text)[: limit * 4]).split())
    return said if len(said) <= limit else f"{said[: limit - 1]}…"


def block(text: object, limit: int = BLOCK_LIMIT) -> str:
    """Return a text with its line breaks, harmless on any screen, and cut to ``limit``."""
    said = visible(str(text)[: limit * 2]).strip("\n")
    return said if len(said) <= limit else f"{said[:limit]}… [cut]"


def clock(moment: datetime) -> str:
    """Say the time of day in UTC: ``18:04:05Z``."""
    return f"{moment.astimezone(UTC):%H:%M:%S}Z"


def day_and_clock(moment: datetime) -> str:
    """Say day and time in UTC: ``2026-11-23 18:04:05Z``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def time_of_day(moment: datetime, since: datetime | None = None) -> str:
    """Say a time in UTC as people do: ``18:04:05``, with its day where ``since`` is another."""
    plain = moment.astimezone(UTC)
    if since is None or plain.date() == since.astimezone(UTC).date():
        return f"{plain:%H:%M:%S}"
    return f"{plain.day} {plain:%b}, {plain:%H:%M:%S}"


def day_of(moment: datetime) -> str:
    """Say a day in UTC as people do: ``23 Nov 2026``."""
    plain = moment.astimezone(UTC)
    return f"{plain.day} {plain:%b %Y}"


def day_and_time(moment: datetime) -> str:
    """Say a day and a time in UTC as people do: ``23 Nov 2026, 18:04:05 UTC``."""
    return f"{day_of(moment)}, {time_of_day(moment)} UTC"


def said(answer: Json, unit: str = "", against: str = "") -> str:
    """Say an answer in a few words with its unit; numbers rounded, lists as their length.

    ``against`` are the words of the limits: no number is rounded across one of their bounds.
    """
    if answer is None:
        return "no answer"
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, list | tuple):
        return _row_count(answer)
    if isinstance(answer, Mapping):
        return one_line(_pairs(answer))
    text = number(answer, against) if isinstance(answer, int | float) else one_line(answer)
    return f"{text} {singular(unit) if text == '1' else unit}".strip()


def singular(unit: str) -> str:
    """Return a unit as it stands after a 1: ``policy`` of ``policies``, ``open/min``; ``ms`` stays.

    English alone, and only what is regular: any other unit is returned as it is.
    """
    if unit == "people":
        return "person"
    return _PLURAL.sub(lambda word: f"{word[1]}{'y' if word[2] == 'ies' else ''}", unit)


def number(value: float, against: str = "") -> str:
    """Say a number with three digits or all its whole ones, never across a bound in ``against``."""
    if isinstance(value, int) or value - value != 0:
        return f"{value:,}"
    # An answer in ms may be held against a bound in s.
    bounds = [float(found) * size for found in _BOUND.findall(against) for size in (1, 1000)]
    rounded = value
    for digits in range(max(3, len(str(int(abs(value))))), 17):
        rounded = float(f"{value:.{digits}g}")
        if all(_side(rounded, bound) == _side(value, bound) for bound in bounds):
            break
    if 0 < abs(rounded) < 0.0001:  # noqa: PLR2004 - below this, zeros hide the digits
        return f"{rounded:g}"
    text = f"{rounded:,.12f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def listed(words: Iterable[str]) -> str:
    """Say several words: ``a, b and c``."""
    every = list(words)
    return " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def counted(count: int, noun: str) -> str:
    """Say a count with its noun: ``no checks``, ``1 check``, ``4 checks``."""
    return f"{'no' if count == 0 else f'{count:,}'} {noun}{'' if count == 1 else 's'}"


def grid(value: Json) -> Grid | None:
    """Return rows or a mapping as a table, and None for anything else or nothing."""
    if isinstance(value, Mapping):
        rows = [{"name": key, "value": item} for key, item in value.items()]
        return _grid(rows, len(rows)) if rows else None
    if not isinstance(value, list | tuple) or not value:
        return None
    total = _length(value)
    kept = [row for row in value if not _cut_mark(row)]
    return _grid([row if isinstance(row, Mapping) else {"value": row} for row in kept], total)


def difference(before: str, after: str) -> str:
    """Return the lines taken away and put in between two texts, as reviewers of code read them."""
    lines = ndiff(before.splitlines(), after.splitlines())
    return "\n".join(line.rstrip() for line in lines if not line.startswith("?"))


def anchor(heading: str) -> str:
    """Return the anchor that JupyterLab and nbconvert give a heading, without the hash sign."""
    return "-".join(heading.split(" "))


def _grid(rows: Sequence[Mapping[str, Json]], total: int) -> Grid:
    shown = rows[:SHOWN_ROWS]
    names = list(dict.fromkeys(str(key) for row in shown for key in row))
    columns = names[:SHOWN_COLUMNS]
    left = []
    if total > len(shown):
        left.append(counted(total - len(shown), "more row"))
    if len(names) > len(columns):
        left.append(counted(len(names) - len(columns), "more column"))
    return Grid(
        columns=tuple(one_line(name, CELL_LIMIT) for name in columns),
        rows=tuple(tuple(_cell(row.get(name, "")) for name in columns) for row in shown),
        left_out=listed(left),
    )


def _cell(value: Json) -> str:
    """Say a value inside a table: rows in words, what lies deeper as JSON."""
    if isinstance(value, Mapping) and value:
        return one_line(_pairs(value), CELL_LIMIT)
    if isinstance(value, list | tuple) and value:
        rows = (_pairs(row) if isinstance(row, Mapping) else _deep(row) for row in value)
        return one_line("; ".join(islice(rows, SHOWN_ROWS)), CELL_LIMIT)
    return _deep(value)


def _pairs(row: Mapping[str, Json]) -> str:
    return ", ".join(f"{key}: {_deep(value)}" for key, value in row.items())


def _deep(value: Json) -> str:
    if isinstance(value, Mapping | list | tuple):
        shown = json.dumps(value, default=str, ensure_ascii=False)[:1000] if value else "none"
        return one_line(shown, CELL_LIMIT)
    return "none" if value is None else one_line(said(value), CELL_LIMIT)


def _row_count(rows: Sequence[Json]) -> str:
    return counted(_length(rows), "row")


def _length(rows: Sequence[Json]) -> int:
    """Count the rows, also those that were cut before they were written."""
    mark = _cut_mark(rows[-1]) if rows else None
    return int(mark[1].replace(",", "")) if mark else len(rows)


def _cut_mark(row: Json) -> re.Match[str] | None:
    return _CUT_ROWS.fullmatch(row) if isinstance(row, str) else None


def _side(value: float, bound: float) -> int:
    return (value > bound) - (value < bound)
