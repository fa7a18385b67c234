"""Commands in a block of code: told from their output, and judged by what they would do."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from runbook_nb.authoring.commands import Effect, Judgement, judge
from runbook_nb.authoring.commands.judge import DATABASES, LANGUAGES_RUN, QUERIES, SHELLS
from runbook_nb.authoring.commands.prompts import (
    Typed,
    begins_like_a_command,
    typed,
    typed_by_root,
)
from runbook_nb.authoring.commands.queries import is_logql, is_promql
from runbook_nb.authoring.commands.sql import is_sql
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock

_BARE: Final = frozenset({"", "text", "txt", "plaintext", "plain", "none", "code", "output", "log"})
# Languages behind a fence that nobody types; any other may be the name of a tool.
_DATA_LANGUAGES: Final = """
yaml yml json json5 jsonc toml ini cfg conf properties env xml html css scss js javascript ts tsx
jsx typescript go golang rust java kotlin scala swift c cpp csharp cs r lua diff patch dockerfile
hcl terraform nginx apache graphql proto protobuf csv tsv markdown md mermaid plantuml puml dot
graphviz jsonnet rego makefile groovy jinja jinja2 gotemplate http mdx rst asciidoc tex latex regex
"""
_DATA: Final = frozenset(_DATA_LANGUAGES.split())
_INLINE: Final = re.compile(r"(?<!`)(`{1,2})(?!`)((?:(?!\1).)+)\1(?!`)")
_LISTED: Final = re.compile(r"^\s*(?:>\s*)*(?:[-*+]\s|\d{1,3}[.)]\s|\||`)")
_TOLD: Final = re.compile(
    r"\b(?:run|execute|check|use|using|type|issue|enter|verify|restart|try|see|look at|confirm|"
    r"inspect|list|query|command|via|with)\b",
    re.IGNORECASE,
)
_FORBIDDEN: Final = re.compile(
    r"\b(?:do not|don't|never|instead of|rather than|avoid|must not|should not)\b", re.IGNORECASE
)
_HEREDOC: Final = re.compile(r"<<-?\s*[\"']?(\w+)")
_YAML: Final = re.compile(r"^\s*(?:- )?[\w./-]+:(?:\s.*)?$|^\s*- \S+|^---$|^\s*#")
_LOGGED: Final = re.compile(
    r"^\W?(?:\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|[A-Z][a-z]{2} +\d{1,2} \d\d:|(?:TRACE|DEBUG|"
    r"INFO|WARN|WARNING|ERROR|FATAL)\b|level=|ts=)"
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What somebody typed: its lines without the prompt, and the output that the source shows.

    ``language`` stands behind the fence, ``kind`` is the one that it is judged in. ``effect`` is
    what it is judged to do, and ``why`` says where the judgement comes from.
    """

    line: int
    lines: tuple[str, ...]
    language: str
    kind: str = ""
    prompt: str = ""
    output: tuple[str, ...] = ()
    effect: Effect = Effect.UNKNOWN
    why: str = ""

    @property
    def reads(self) -> bool:
        """Whether each part of it is known to read."""
        return self.effect is Effect.READS

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def commands(block: SourceBlock) -> list[Command]:
    """Return the commands of a block, in order; none where it holds something else.

    In text they are those between marks of code, in lists, in tables, and where it says to run
    them.
    """
    if block.kind is BlockKind.CODE:
        return _in_code(block)
    return list(_in_text(block)) if block.kind is BlockKind.TEXT else []


def _in_text(block: SourceBlock) -> Iterator[Command]:
    known: set[str] = set()
    for number, line in enumerate(block.lines, start=block.line):
        told = _LISTED.match(line) or _TOLD.search(line)
        if not told or _FORBIDDEN.search(line):
            continue
        for found in _INLINE.finditer(line):
            text = found[2].strip().replace("\\|", "|")
            kind = _inline_kind(text)
            if kind and text not in known:
                known.add(text)
                yield _command(block, number, [text], kind=kind)


def _inline_kind(text: str) -> str:
    """Return the language of code within a line; empty for a name, a path or a single word."""
    if behind := typed(text):
        text = behind.command
    if len(text.split()) > 1 and begins_like_a_command(text):
        return "bash"
    if len(text.split()) > 1 and is_sql(text):
        return "sql"
    return "promql" if re.search(r"[({\[<>=]", text) and is_promql(text) else ""


def _in_code(block: SourceBlock) -> list[Command]:
    language = language_of(block.language)
    written = [line for line in block.lines if line.strip()]
    if not written or _is_data(written, language):
        return []
    if language not in DATABASES | QUERIES or any(map(typed, written)):
        prompts = [_behind_prompt(line, written, language) for line in block.lines]
        if any(prompts):
            return list(_prompted(block, prompts))
    if language in LANGUAGES_RUN:
        return [_command(block, block.line, block.lines, kind=language)]
    if language not in LANGUAGES_RUN | _DATA and (kind := _recognised(block.lines, written)):
        return [_command(block, block.line, block.lines, kind=kind)]
    return []


def language_of(behind_fence: str) -> str:
    """Return the language that stands behind a fence, in small letters and without its marks."""
    first = re.split(r"[\s,:;{}]", behind_fence.strip("{}. "), maxsplit=1)[0]
    return first.lower().removeprefix("language-")


def _is_data(written: Sequence[str], language: str) -> bool:
    """Tell whether lines are a document or a log, and nothing that anybody types."""
    if language not in SHELLS | _BARE:
        return False
    if all(map(_YAML.match, written)) and any(":" in line for line in written):
        return not any(map(typed_by_root, written))
    return bool(_LOGGED.match(written[0]))


def _recognised(lines: Sequence[str], written: Sequence[str]) -> str:
    """Return the language of lines that do not name one; empty where they are no command."""
    text = "\n".join(lines)
    if is_sql(text):
        return "sql"
    if is_promql(text):
        return "promql"
    if is_logql(text):
        return "logql"
    first = next((line for line in written if not line.lstrip().startswith("#")), "")
    return "bash" if begins_like_a_command(first) else ""


def _behind_prompt(line: str, written: Sequence[str], language: str) -> Typed | None:
    if found := typed(line):
        return found
    found = typed_by_root(line) if language in SHELLS | _BARE else None
    if found is None:
        return None
    others = [each for each in written if not typed_by_root(each)]
    if found.prompt == "#":
        commented = all(each.lstrip().startswith("#") for each in others)
        session = language != "bash" and not any(map(begins_like_a_command, others))
        return found if commented or session else None
    return found if language in _BARE | {"console"} else None


def _prompted(block: SourceBlock, prompts: Sequence[Typed | None]) -> Iterator[Command]:
    """Cut a session at its prompts; lines before the first are output of nothing, and kept."""
    session = _Session(block)
    for at, (text, found) in enumerate(zip(block.lines, prompts, strict=True)):
        if found and not session.goes_on:
            yield from session.ended()
            session.begin(found, line=block.line + at)
        else:
            session.add(text)
    yield from session.ended()


class _Session:
    """A command under way, with the output below it."""

    def __init__(self, block: SourceBlock) -> None:
        self._block = block
        self._named = language_of(block.language)
        self._typed: list[str] = []
        self._output: list[str] = []
        self._prompt, self._language, self._line = "", "", block.line
        self._ending = ""

    @property
    def goes_on(self) -> bool:
        """Whether the next line is typed too: a heredoc, or a line that is continued."""
        return bool(self._ending) or (
            bool(self._typed) and self._typed[-1].endswith("\\") and not self._output
        )

    def begin(self, found: Typed, *, line: int) -> None:
        self._prompt, self._line = found.prompt, line
        named = self._named if self._named in DATABASES else ""
        self._language = found.language if found.language != "bash" else named or found.language
        self._typed = [found.command]
        heredoc = _HEREDOC.search(found.command)
        self._ending = heredoc[1] if heredoc and self._language == "bash" else ""

    def add(self, text: str) -> None:
        if not self.goes_on:
            self._output.append(text)
            return
        self._typed.append(text)
        self._ending = "" if text.strip() == self._ending else self._ending

    def ended(self) -> Iterator[Command]:
        if self._typed:
            yield _command(
                self._block,
                self._line,
                self._typed,
                kind=self._language,
                prompt=self._prompt,
                output=self._output,
            )
            self._output = []
        self._typed = []


def _command(
    block: SourceBlock,
    line: int,
    lines: Sequence[str],
    *,
    kind: str,
    prompt: str = "",
    output: Sequence[str] = (),
) -> Command:
    judged: Judgement = judge("\n".join(lines), kind)
    return Command(
        line=line,
        lines=tuple(lines),
        language=block.language,
        kind=kind,
        prompt=prompt,
        output=tuple(output) if any(map(str.strip, output)) else (),
        effect=judged.effect,
        why=judged.why,
    )
