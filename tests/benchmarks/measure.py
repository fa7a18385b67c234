"""Time several things in turn, so that a busy machine is busy for all of them."""

import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(cases: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Return the median seconds of each case; the first round warms up and is dropped."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            began = time.perf_counter()
            case()
            if number:
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def show(medians: Mapping[str, float], *, against: str) -> None:
    """Print each case in milliseconds and as a ratio to one of them."""
    for name, seconds in medians.items():
        print(
            f"{name:44} {seconds * 1000:9.1f} ms   {seconds / medians[against]:6.2f} of {against}"
        )
