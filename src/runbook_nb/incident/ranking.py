"""How options are ranked: by harm first, then by how specific the evidence is.

The front matter says what the checks alone do not::

    ranking:
      first:  # before all others, the first of these first, when a check of theirs failed
      - {option: G, because: a leak goes before everything else}
      shared:  # checks that other causes fail as well, with the options of those
        Heartbeat lag p95: [H, I]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runbook_nb.runbook.steps import letter
from runbook_nb.timeline.events import Checked, Option, Verdict
from runbook_nb.timeline.queries import newest


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What a runbook says of its options; ``first`` and ``shared`` name them by their letters."""

    first: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, front: Mapping[str, Any]) -> "Ranking":
        """Return what the front matter says; what is written otherwise says nothing."""
        said = front.get("ranking")
        said = said if isinstance(said, Mapping) else {}
        first, shared = said.get("first"), said.get("shared")
        return cls(
            first={
                str(one["option"]): str(one.get("because", ""))
                for one in (first if isinstance(first, Sequence) else ())
                if isinstance(one, Mapping) and "option" in one
            },
            shared={
                str(title): tuple(map(str, letters))
                for title, letters in (shared if isinstance(shared, Mapping) else {}).items()
                if isinstance(letters, Sequence) and not isinstance(letters, str)
            },
        )


def rank(
    headings: Sequence[str], checks: Sequence[Checked], ranking: Ranking | None = None
) -> list[Option]:
    """Return all options: by harm, then by specific evidence, then by evidence that is shared.

    A check that only one cause can fail speaks for its option. One that several causes fail speaks
    for those of them that have evidence of their own, and for the option that it names where none
    has. Ties go to the earlier check; an option without a failed check stands at the end, in the
    order of the notebook.
    """
    ranking = ranking or Ranking()
    latest = list(newest(checks).values())
    failed = [checked for checked in latest if checked.verdict is Verdict.FAIL]
    own = {heading: _own(failed, heading, ranking) for heading in headings}
    options = [
        Option(
            heading=heading,
            failed=(*own[heading], *_shared(failed, heading, own, ranking)),
            warned=tuple(
                checked.title
                for checked in latest
                if checked.verdict is Verdict.WARN and checked.if_failed == heading
            ),
            first=ranking.first.get(letter(heading), "") if own[heading] else "",
        )
        for heading in headings
    ]
    order = [checked.title for checked in failed]
    harm = list(ranking.first)

    def weight(option: Option) -> tuple[int, int, int, int]:
        specific, name = own[option.heading], letter(option.heading)
        harms = harm.index(name) if specific and name in harm else len(harm)
        earliest = min((order.index(title) for title in option.failed), default=len(order))
        return harms, -len(specific), -len(option.failed), earliest

    return sorted(options, key=weight)


def _own(failed: Sequence[Checked], heading: str, ranking: Ranking) -> tuple[str, ...]:
    """Return the failed checks that only the cause of this option explains."""
    return tuple(
        checked.title
        for checked in failed
        if checked.if_failed == heading and checked.title not in ranking.shared
    )


def _shared(
    failed: Sequence[Checked],
    heading: str,
    own: Mapping[str, tuple[str, ...]],
    ranking: Ranking,
) -> tuple[str, ...]:
    """Return the failed checks that this option's cause explains as well as others do."""
    letters = {letter(each): each for each in own}
    found = []
    for checked in failed:
        if checked.title not in ranking.shared:
            continue
        named = [letters[name] for name in ranking.shared[checked.title] if name in letters]
        proven = [each for each in (checked.if_failed, *named) if own.get(each)]
        if heading in (proven or [checked.if_failed]):
            found.append(checked.title)
    return tuple(found)
