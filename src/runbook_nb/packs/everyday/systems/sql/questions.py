"""A query as one bounded, reading question, and its answers as JSON."""

import math
import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Final

from runbook_nb.errors import NoAnswerError, WriteRefusedError
from runbook_nb.text.values import Json

_READING: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(select|with|values|table)\b", re.IGNORECASE | re.DOTALL
)
# Functions that change something although their transaction is read only. The reader's role should
# not be allowed them either.
_ACTING: Final = re.compile(
    r"""\b(pg_(?:terminate|cancel)_backend|pg_promote|pg_reload_conf|pg_rotate_logfile\w*
        |pg_switch_wal|pg_create_\w+|pg_drop_\w+|pg_replication_\w+|pg_logical_\w+
        |pg_(?:start|stop)_backup|pg_backup_(?:start|stop)|pg_wal_replay_(?:pause|resume)
        |pg_stat_reset\w*|pg_stat_statements_reset|pg_notify|pg_(?:try_)?advisory_\w+
        |pg_log_\w+|pg_file_\w+|dblink\w*|lo_\w+|nextval|setval|set_config)"?\s*\(""",
    re.IGNORECASE | re.VERBOSE,
)


def question(query: str, parameters: Mapping[str, object], *, shows: str, limit: int) -> str:
    """Return the question that asks a query for some columns and at most ``limit`` rows.

    As a part of another query it cannot be anything but a query. Raises WriteRefusedError for
    what begins otherwise, or calls a function that acts.
    """
    text = query.strip().rstrip(";").rstrip()
    if not _READING.match(text):
        message = "A question in SQL begins with select, with, values or table; probes only read."
        raise WriteRefusedError(message)
    if acting := _ACTING.search(text):
        message = f"A probe may not call {acting[1]}, which acts; probes only read."
        raise WriteRefusedError(message)
    inner = _with_percent_signs(text, parameters)
    # The query may end in a comment, which must not swallow what follows.
    return f"select {shows} from (\n{inner}\n) as question limit {limit}"


def as_json(value: Any) -> Json:  # noqa: PLR0911 - one line for each kind of value
    """Return a value of a database as JSON: times in ISO 8601, intervals in seconds."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            whole = value.is_finite() and value == value.to_integral()
            return int(value) if whole else float(value)
        case timedelta():
            return value.total_seconds()
        case date() | time():
            return value.isoformat()
        case Mapping():
            return {str(key): as_json(each) for key, each in value.items()}
        case list() | tuple():
            return [as_json(each) for each in value]
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def demand_value(found: list[dict[str, Any]]) -> Json:
    """Return the one value of one row; raises NoAnswerError for none, NULL, NaN, or several."""
    if not found:
        message = "The query returns no row, where one value is expected."
        raise NoAnswerError(message)
    if len(found) > 1 or len(found[0]) > 1:
        several = "several rows" if len(found) > 1 else f"columns {', '.join(found[0])}"
        message = f"The query returns {several}, where one value is expected."
        raise NoAnswerError(message)
    value = as_json(next(iter(found[0].values())))
    if value is None:
        message = "The query returns NULL, as an aggregate of no rows does."
        raise NoAnswerError(message)
    if isinstance(value, float) and not math.isfinite(value):
        message = f"The query returns {value}, which is no number to judge."
        raise NoAnswerError(message)
    return value


def _with_percent_signs(text: str, parameters: Mapping[str, object]) -> str:
    """Return the query with its percent signs doubled, but for those that name a parameter."""
    names = "|".join(re.escape(name) for name in parameters)
    return re.sub(rf"%(?!\((?:{names})\)s)" if names else "%", "%%", text)
