"""The one source of chance of the seed: the same number gives the same rows."""

import math
import random
import uuid
from datetime import timedelta


class Chance:
    """Draws that repeat exactly for the same random seed."""

    def __init__(self, random_seed: int) -> None:
        # The rows must repeat, and nothing secret is drawn.
        self.random = random.Random(random_seed)  # noqa: S311

    def id(self) -> str:
        """Draw a version 4 UUID as text."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def token(self, prefix: str) -> str:
        """Draw an opaque name such as a vendor gives, for example `ca_3f0c9a7be12d`."""
        return f"{prefix}_{self.random.getrandbits(48):012x}"

    def log_normal(self, *, median: float, sigma: float, low: float, high: float) -> float:
        """Draw from a log-normal distribution and clamp the draw to `low`..`high`."""
        return min(high, max(low, self.random.lognormvariate(math.log(median), sigma)))

    def whole(self, *, median: float, sigma: float, low: int, high: int) -> int:
        """Draw a whole number, as `log_normal` does."""
        return round(self.log_normal(median=median, sigma=sigma, low=low, high=high))

    def seconds(self, low: float, high: float) -> timedelta:
        """Draw a time between `low` and `high` seconds, in whole milliseconds."""
        return timedelta(milliseconds=round(self.random.uniform(low, high) * 1000))

    def one_in(self, count: int) -> bool:
        """Tell whether a thing that happens once in `count` times happens now."""
        return self.random.randrange(count) == 0
