"""Durations as the runbooks write and read them."""

from datetime import timedelta

_MINUTE = 60
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def seconds(count: float) -> timedelta:
    """Return ``count`` seconds."""
    return timedelta(seconds=count)


def minutes(count: float) -> timedelta:
    """Return ``count`` minutes."""
    return timedelta(minutes=count)


def hours(count: float) -> timedelta:
    """Return ``count`` hours."""
    return timedelta(hours=count)


def words(duration: timedelta | float) -> str:
    """Say a duration, given as timedelta or seconds, in its two largest units: ``1 h 5 min``."""
    total = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if total < 0:
        return f"-{words(-total)}"
    if total < 1:
        return f"{total * 1000:.0f} ms"
    if total < _MINUTE and total != int(total):
        return f"{total:.1f} s"
    rest, said = round(total), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            said.append(f"{count} {unit}")
    return " ".join(said[:2])
