"""What is known of programs: data, in ``programs.toml``, read once, and one way to ask it."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

_END: Final = "!"
_NEXT: Final = ":"  # behind an option that takes the next word, or the rest of its own
_JOINED: Final = "?"  # behind one that takes only the rest of its own
_HELP: Final = (["--help"], ["--version"], ["-V"], ["version"], ["help"])
_DRY: Final = frozenset({"client", "server"})


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The words behind a program's name; an option without a value has an empty one."""

    options: tuple[tuple[str, str], ...]
    operands: tuple[str, ...]

    def values(self, *names: str) -> list[str]:
        """Return the values of options of these names, in their order."""
        return [value for name, value in self.options if name in names]

    def has(self, *names: str) -> bool:
        """Tell whether one of these options is there."""
        return any(name in names for name, _ in self.options)


@dataclass(frozen=True, kw_only=True)
class Program:
    """How a program is called where it only reads; ``programs.toml`` says what each field is."""

    verbs: tuple[tuple[str, ...], ...] = ()
    groups: frozenset[str] = frozenset()
    only: Mapping[str, str] | None = None
    never: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    every: frozenset[str] = frozenset()
    dry: frozenset[str] = frozenset()
    pattern: str = ""
    operands: int | None = None
    whole: bool = False
    bundled: bool = False
    leading: bool = False
    settings: bool = False
    line: bool = False
    drop: int = 0

    def arguments(self, words: Sequence[str]) -> Arguments:
        """Take the words behind the name apart; ``leading`` options end at the first other word."""
        options: list[tuple[str, str]] = []
        operands: list[str] = []
        rest = list(words)
        if self.bundled and rest and not rest[0].startswith("-"):
            rest[0] = f"-{rest[0]}"
        while rest:
            word = rest.pop(0)
            if word == "--":
                break
            if not word.startswith("-") or word == "-":
                operands.append(word)
                if self.leading:
                    break
                continue
            found = [*self._options(word)]
            name, value = found[-1]
            if not value and "=" not in word and self._takes(name) == _NEXT and rest:
                found[-1] = (name, rest.pop(0))
            options.extend(found)
        return Arguments(options=tuple(options), operands=(*operands, *rest))

    def refusal(self, words: Sequence[str]) -> str:
        """Return the word because of which a call is not known to read; empty if it is."""
        given = self.arguments(words)
        if option := self.refused_option(given):
            return option
        if given.operands and given.operands[0] in self.dry and (dry := given.values("--dry-run")):
            return "" if _DRY.issuperset(dry) else given.operands[0]
        if self.needs and not self.needs & {*dict(given.options), *given.operands}:
            return next(iter((*given.operands, *words)), "without options")
        return self._refused_operand(given.operands)

    def refused_option(self, given: Arguments) -> str:
        """Return the first option that is not known to read; empty if there is none."""
        return next((name for name, _ in given.options if self._refuses(name)), "")

    def _refused_operand(self, operands: Sequence[str]) -> str:
        rest = self._behind_a_verb(operands) if self.verbs else list(operands)
        if rest is None:
            return " ".join(operands[:2]) or "without words"
        if self.operands is not None and len(rest) > self.operands:
            return rest[-1]
        if self.pattern:
            return next((word for word in rest if not re.fullmatch(self.pattern, word)), "")
        return next((word for word in rest if self.every and word not in self.every), "")

    def _behind_a_verb(self, operands: Sequence[str]) -> list[str] | None:
        """Return the words behind a reading verb; None where none of them comes first."""
        words = list(operands)
        while words and words[0] in self.groups:
            words.pop(0)
        for verb in self.verbs:
            parts = [part.removesuffix(_END) for part in verb if part != _END]
            ended = verb[-1].endswith(_END) and len(words) > len(parts)
            if len(words) >= len(parts) and not ended and all(map(fnmatchcase, words, parts)):
                return words[len(parts) :]
        return None

    def _options(self, word: str) -> Iterator[tuple[str, str]]:
        """Return an option with its value, or each of those that are joined behind one dash."""
        name, _, value = word.partition("=")
        if name.startswith("--") or self.whole or name in self.valued:
            yield name, value
            return
        for at, letter in enumerate(word[1:], start=2):
            option = f"-{letter}"
            if self._takes(option):
                yield option, word[at:]
                return
            yield option, ""

    def _takes(self, option: str) -> str:
        if option in self.valued:
            return _NEXT
        return self.only.get(option, "") if self.only else ""

    def _refuses(self, option: str) -> bool:
        if self.only is not None:
            return option not in self.only
        long = option.startswith("--") or self.whole
        # Programs take the beginning of a long option for all of it.
        return any(
            denied == option or (long and option != "--" and denied.startswith(option))
            for denied in self.never
        )


def refusal(name: str, words: Sequence[str]) -> str:
    """Return what in a call of a known program is not known to read; empty if all of it is.

    Raises KeyError for a program that is not known.
    """
    if list(words) in _HELP:
        return ""
    if name in CHANGING:
        return name
    found = READING[name].refusal(words)
    return f"{name} {found}" if found else ""


def _split(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _allowed(text: str) -> dict[str, str]:
    return {
        each.rstrip(_NEXT + _JOINED): each[len(each.rstrip(_NEXT + _JOINED)) :]
        for each in text.split()
    }


def _program(entry: Mapping[str, Any], **more: bool) -> Program:
    fields = {name: value for name, value in entry.items() if name != "programs"} | more
    for name in ("groups", "never", "valued", "needs", "every", "dry"):
        fields[name] = _split(fields.get(name, ""))
    verbs = (tuple(verb.split()) for verb in fields.pop("verbs", "").split("|"))
    only = _allowed(fields.pop("only")) if "only" in fields else None
    return Program(verbs=tuple(filter(None, verbs)), only=only, **fields)


def _by_name(entries: Iterable[Mapping[str, Any]], **more: bool) -> dict[str, Program]:
    found = ((entry["programs"].split(), _program(entry, **more)) for entry in entries)
    return {name: program for names, program in found for name in names}


_DATA: Final = tomllib.loads(Path(__file__).with_name("programs.toml").read_text(encoding="utf-8"))
CHANGING: Final = _split(_DATA["changing"])
READING: Final[Mapping[str, Program]] = _by_name(_DATA["reads"])
CALLING: Final[Mapping[str, Program]] = _by_name(_DATA["calls"], leading=True)
