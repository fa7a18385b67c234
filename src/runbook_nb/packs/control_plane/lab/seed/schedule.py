"""When missions are created: office hours, quiet weekends, a little more every week."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.randomness import Chance

# The oldest week first: each is about a sixth larger than the one before, 250 in all.
MISSIONS_A_WEEK = (49, 57, 66, 78)

# Monday first.
_WEIGHT_OF_DAY = (9, 11, 11, 10, 8, 1.5, 1)

# Midnight UTC first.
_WEIGHT_OF_HOUR = (
    *(0.2, 0.1, 0.1, 0.1, 0.2, 0.5, 1.5, 4, 8, 10, 10, 8),
    *(6, 8, 10, 9, 8, 6, 4, 2, 1.5, 1, 0.6, 0.3),
)

# A mission younger than this has had no time for the first two stages.
_YOUNGEST = timedelta(minutes=45)

_HOURS_A_WEEK = 7 * 24


def creation_times(chance: Chance, *, now: datetime) -> list[datetime]:
    """Draw when the missions of the last four weeks were created, oldest first."""
    drawn: list[datetime] = []
    for weeks_ago, count in enumerate(reversed(MISSIONS_A_WEEK)):
        week_end = now - timedelta(weeks=weeks_ago)
        hours = [week_end - timedelta(hours=hour) for hour in range(_HOURS_A_WEEK)]
        weights = [_WEIGHT_OF_DAY[hour.weekday()] * _WEIGHT_OF_HOUR[hour.hour] for hour in hours]
        drawn += [
            min(hour - chance.seconds(0, 3600), now - _YOUNGEST)
            for hour in chance.random.choices(hours, weights=weights, k=count)
        ]
    return sorted(drawn)
