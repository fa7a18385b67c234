"""Questions to this machine by a command from a list that is known to read.

The command is given as words, ``("df", "--output=pcent", "/var")``, never as a line: no shell sees
it. What is not on the list, or has an option that may write, is refused before a process starts.
"""

import math
import re
import socket
from collections.abc import Sequence
from typing import Any, Final

from runbook_nb.errors import NoAnswerError, ParameterError
from runbook_nb.packs.everyday.systems.command.rules import BEFORE, RULES, refusal
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.commands import Output

SYSTEM: Final = "command"
SHOWN_CHARACTERS: Final = 2000


@probe(unit="", timeout_s=12)
def text(systems: Systems, words: Sequence[str]) -> Reading:
    """Return what a command prints, without the line break at its end.

    An exit code with which it does not answer is unknown, with what it says.
    """
    output = _answered(systems, words)
    printed = output.text.strip()
    if not printed:
        message = f"`{words[0]}` printed nothing."
        raise NoAnswerError(message)
    return Reading(value=printed[:SHOWN_CHARACTERS], detail=_detail(output))


@probe(unit="", timeout_s=12)
def number(systems: Systems, words: Sequence[str], *, pattern: str = "", unit: str = "") -> Reading:
    r"""Return the number that a command prints, in ``unit``.

    ``pattern`` is a regular expression with the number as its one group, such as ``(\d+)%``;
    without one the whole output must be a number. None, and more than one, are unknown.
    """
    if re.compile(pattern).groups != int(bool(pattern)):
        message = f"{pattern!r} needs one group, around the number, such as (\\d+)%."
        raise ParameterError(message)
    output = _answered(systems, words)
    found = re.findall(pattern, output.text) if pattern else [output.text.strip()]
    if len(found) != 1:
        message = f"{pattern!r} fits {len(found)} times into what `{words[0]}` printed, not once."
        raise NoAnswerError(message)
    return Reading(value=_number(found[0]), detail=_detail(output))


@probe(unit="lines", timeout_s=12)
def lines(systems: Systems, words: Sequence[str]) -> Reading:
    """Return how many lines a command prints that are not blank."""
    output = _answered(systems, words)
    count = sum(bool(line.strip()) for line in output.text.splitlines())
    return Reading(value=count, detail=_detail(output))


@probe(unit="", timeout_s=12)
def exit_code(systems: Systems, words: Sequence[str]) -> Reading:
    """Return the exit code of a command, whatever it is."""
    output = _run(systems, words)
    return Reading(value=output.code, detail=_detail(output))


def _answered(systems: Systems, words: Sequence[str]) -> Output:
    output = _run(systems, words)
    if output.code not in RULES[words[0]].answers:
        said = " ".join((output.errors or output.text).split())[:200]
        message = f"`{words[0]}` ended with exit code {output.code}: {said}"
        raise NoAnswerError(message)
    return output


def _run(systems: Systems, words: Sequence[str]) -> Output:
    if isinstance(words, str):
        message = f"Give the words of a command apart, such as {tuple(words.split())!r}."
        raise ParameterError(message)
    wanted, here = systems.setting(SYSTEM, "host"), socket.gethostname()
    if wanted not in {here, "localhost"}:
        message = f"The commands of this environment are about {wanted}, and this is {here}."
        raise NoAnswerError(message)
    name, *rest = words or ("",)
    whole = (name, *BEFORE.get(name, ()), *rest)
    return systems.command(SYSTEM).run(whole, writes=lambda _: refusal(words))


def _number(printed: str) -> float | int:
    try:
        found = float(printed)
    except ValueError:
        message = f"{printed[:80]!r} is no number."
        raise NoAnswerError(message) from None
    if not math.isfinite(found):
        message = f"{printed!r} is no number to judge."
        raise NoAnswerError(message)
    return int(found) if found.is_integer() else found


def _detail(output: Output) -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "exit code": output.code,
        "printed": output.text[:SHOWN_CHARACTERS],
        "errors": output.errors[:SHOWN_CHARACTERS],
    }
