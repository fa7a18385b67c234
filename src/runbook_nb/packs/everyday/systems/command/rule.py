"""When the words of a command are known to read: what may follow its name, all else is refused.

Options are allowed by name and never refused by name: programs take ``--vac`` for
``--vacuum-size``, and their next release may bring an option that writes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_ANYTHING: Final = re.compile(r".*", re.DOTALL)
NOTHING: Final = re.compile(r"(?!)")


@dataclass(frozen=True, kw_only=True)
class ReadingRule:
    """What may follow a command's name.

    ``verbs`` are the words of which one must come first, where there are any. ``short`` are the
    letters of options that may be joined, as in ``-hT``; a ``valued`` letter takes the rest of
    its word. ``long`` are whole options without their value. ``operand`` is what any other word
    must look like, and ``never`` what no word may hold. ``answers`` are the exit codes with which
    the command still answers.
    """

    verbs: frozenset[str] = frozenset()
    short: str = ""
    valued: str = ""
    long: frozenset[str] = frozenset()
    operand: re.Pattern[str] = field(default=_ANYTHING)
    never: re.Pattern[str] = NOTHING
    answers: frozenset[int] = frozenset({0})

    def refusal(self, words: Sequence[str]) -> str:
        """Say why the words that follow the name are not known to read; empty if they are."""
        rest = list(words)
        if self.verbs:
            verb, *rest = rest or [""]
            if verb not in self.verbs:
                return f"{verb!r} is none of its reading verbs: {', '.join(sorted(self.verbs))}"
        value_follows = False
        for word in rest:
            is_option = word.startswith("-") and word != "-"
            if is_option and not self._allows(word):
                return f"the option {word!r} is not known to read"
            if not is_option and not value_follows and not self.operand.fullmatch(word):
                return f"{word!r} is not known to read"
            if self.never.search(word):
                return f"{word!r} could show a secret"
            value_follows = is_option and self._takes_the_next(word)
        return ""

    def _allows(self, option: str) -> bool:
        if option.partition("=")[0] in self.long:
            return True
        if option.startswith("--"):
            return False
        before = option[1:] if (first := self._valued(option)) is None else option[1:first]
        return all(letter in self.short for letter in before)

    def _takes_the_next(self, option: str) -> bool:
        """Tell whether the word after an option is its value, and no word of its own."""
        return not option.startswith("--") and self._valued(option) == len(option) - 1

    def _valued(self, option: str) -> int | None:
        """Return the place of the first letter that takes a value."""
        places = (place for place, letter in enumerate(option) if letter in self.valued)
        return next(places, None)


def rule(
    *,
    verbs: str = "",
    short: str = "",
    valued: str = "",
    long: str = "",
    operand: str | re.Pattern[str] = _ANYTHING,
    never: re.Pattern[str] = NOTHING,
    answers: Sequence[int] = (0,),
) -> ReadingRule:
    """Return a rule with its verbs and long options written as words of a line."""
    return ReadingRule(
        verbs=frozenset(verbs.split()),
        short=short,
        valued=valued,
        long=frozenset(long.split()),
        operand=re.compile(operand) if isinstance(operand, str) else operand,
        never=never,
        answers=frozenset(answers),
    )
