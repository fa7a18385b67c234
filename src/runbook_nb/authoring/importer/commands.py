"""Commands in a block of code: told from their output, and guessed to read or to change."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from runbook_nb.authoring.importer.command_effect import DATABASES, PROGRAMS, QUERIES, guess
from runbook_nb.authoring.importer.source_blocks import SourceBlock
from runbook_nb.authoring.known_commands import TOOLS

_SHELLS: Final = frozenset(
    [
        "bash",
        "sh",
        "shell",
        "zsh",
        "fish",
        "ksh",
        "console",
        "shell-session",
        "shellsession",
        "terminal",
        "command",
        "commandline",
        "powershell",
        "pwsh",
        "ps1",
        "posh",
        "cmd",
        "bat",
        "batch",
        "dos",
    ]
)
_PROMPT = re.compile(
    r"^\s*(?P<prompt>(?:\([\w.-]+\)\s*)?(?:"
    r"\[?[\w.-]+@[\w.-]+[^$#%>\n]{0,80}[$#%>]|[$%]|PS [^>\n]{0,80}>|[A-Z]:\\[^>\n]{0,80}>|"
    r"[\w-]{1,40}=[#>]|(?:mysql|sqlite|mongo|redis [\w.:-]+|[\d.]+:\d+(?:\[\d+\])?)>|>>>))"
    r"\s+(?P<command>\S.*)$"
)
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)")
_STARTS = re.compile(rf"^\s*(?:{'|'.join(map(re.escape, TOOLS))})(?:\s+\S|$)")


@dataclass(frozen=True, kw_only=True)
class Command:
    """What somebody typed: its lines without the prompt, and the output that the source shows.

    ``reads`` says that it is guessed to change nothing; ``why`` says where the guess comes from.
    """

    line: int
    lines: tuple[str, ...]
    language: str
    prompt: str = ""
    output: tuple[str, ...] = ()
    reads: bool = field(default=False)
    why: str = ""


def commands(block: SourceBlock) -> list[Command]:
    """Return the commands of a block of code, in order; none where it holds something else."""
    language = block.language.partition(" ")[0].strip("{}.").lower()
    prompted = [_PROMPT.match(line) for line in block.lines]
    if any(prompted) and (not language or language not in DATABASES | QUERIES):
        return list(_prompted(block))
    known = language in _SHELLS | QUERIES | DATABASES | PROGRAMS
    bare = language in ("", "text", "txt", "plaintext", "none")
    if not any(map(str.strip, block.lines)):
        return []
    if known or (bare and _STARTS.match(next(filter(str.strip, block.lines)))):
        return [_command(block.line, block.lines, block.language)]
    return []


def without_prompt(line: str) -> str:
    """Return a line as it was typed, without the prompt before it."""
    found = _PROMPT.match(line)
    return found["command"] if found else line


def _prompted(block: SourceBlock) -> Iterator[Command]:
    """Cut a session at its prompts; lines before the first are output of nothing, and kept."""
    line, prompt = block.line, ""
    typed: list[str] = []
    output: list[str] = []
    ending, more = "", False
    for at, text in enumerate(block.lines):
        found = None if ending or more else _PROMPT.match(text)
        if found:
            if typed:
                yield _command(line, typed, block.language, prompt=prompt, output=output)
                output = []
            line, prompt, typed = block.line + at, found["prompt"], [found["command"]]
            heredoc = _HEREDOC.search(text)
            ending = heredoc[1] if heredoc else ""
        elif ending or more:
            typed.append(text)
            ending = "" if text.strip() == ending else ending
        else:
            output.append(text)
            continue
        more = typed[-1].endswith("\\")
    if typed:
        yield _command(line, typed, block.language, prompt=prompt, output=output)


def _command(
    line: int, lines: Sequence[str], language: str, *, prompt: str = "", output: Sequence[str] = ()
) -> Command:
    reads, why = guess(lines, language.partition(" ")[0].lower())
    return Command(
        line=line,
        lines=tuple(lines),
        language=language,
        prompt=prompt,
        output=tuple(output) if any(map(str.strip, output)) else (),
        reads=reads,
        why=why,
    )
