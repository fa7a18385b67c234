"""Markdown as markdown-it-py reads it: headings, code, HTML and lists, each with its line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading with its words as they are written; ``after`` is the line below it.

    Headings within lists and quotes are none: nothing stands under them.
    """

    level: int
    text: str
    line: int
    after: int


@dataclass(frozen=True, kw_only=True)
class CodeBlock:
    """Code between fences, or indented, wherever it is nested; ``language`` is all behind a fence.

    ``line`` is the first that it takes, ``after`` the one below its last, marks included.
    """

    lines: tuple[str, ...]
    language: str
    fenced: bool
    line: int
    after: int

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Return each line of the code with its number."""
        return enumerate(self.lines, start=self.line + self.fenced)


@dataclass(frozen=True, kw_only=True)
class HtmlBlock:
    """HTML that stands by itself, outside of lists and quotes."""

    text: str
    line: int
    after: int


@dataclass(frozen=True, kw_only=True)
class ListItem:
    """The first paragraph of an item of a list."""

    text: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Markdown:
    """A text in its parts; ``blocks`` are headings, code and HTML in the order they stand in.

    ``first`` is the number of the first of its ``lines``.
    """

    lines: tuple[str, ...]
    first: int
    blocks: tuple[Heading | CodeBlock | HtmlBlock, ...]
    items: tuple[ListItem, ...]

    @property
    def headings(self) -> list[Heading]:
        """The headings that have words."""
        return [block for block in self.blocks if isinstance(block, Heading) and block.text]

    @property
    def code(self) -> list[CodeBlock]:
        """The blocks of code."""
        return [block for block in self.blocks if isinstance(block, CodeBlock)]

    def unfenced(self) -> Iterator[tuple[int, str]]:
        """Return each line outside of fences with its number."""
        fenced = {
            number
            for block in self.code
            if block.fenced
            for number in range(block.line, block.after)
        }
        numbered = enumerate(self.lines, start=self.first)
        return ((number, line) for number, line in numbered if number not in fenced)


def read_markdown(lines: Sequence[str], *, first: int = 1) -> Markdown:
    """Read Markdown; ``first`` is the number of its first line in the file."""
    blocks: list[Heading | CodeBlock | HtmlBlock] = []
    items: list[ListItem] = []
    tokens = _reader().parse("\n".join(lines))
    for place, token in enumerate(tokens):
        if token.map is None:
            continue
        line = first + token.map[0]
        if token.type == "list_item_open":
            items.append(ListItem(text=_words(tokens[place:]), line=line))
        elif token.type == "heading_open" and token.level == 0:
            blocks.append(_heading(token, tokens[place + 1].content, first))
        elif token.type in ("fence", "code_block"):
            blocks.append(_code(token, first))
        elif token.type == "html_block" and token.level == 0:
            blocks.append(HtmlBlock(text=token.content, line=line, after=first + token.map[1]))
    return Markdown(lines=tuple(lines), first=first, blocks=tuple(blocks), items=tuple(items))


@cache
def _reader() -> MarkdownIt:
    # Words within a line are kept as they are; not reading them saves most of the time.
    return MarkdownIt("commonmark").enable("table").disable("inline")


def _heading(token: Token, words: str, first: int) -> Heading:
    start, end = token.map or (0, 0)
    return Heading(level=int(token.tag[1]), text=words, line=first + start, after=first + end)


def _code(token: Token, first: int) -> CodeBlock:
    start, end = token.map or (0, 0)
    return CodeBlock(
        lines=tuple(token.content.rstrip("\n").split("\n")),
        language=" ".join(token.info.split()),
        fenced=token.type == "fence",
        line=first + start,
        after=first + end,
    )


def _words(tokens: Sequence[Token]) -> str:
    """Return the first words below a token that opens an item; empty where there are none."""
    opened = tokens[0].level
    for token in tokens[1:]:
        if token.level <= opened:
            return ""
        if token.type == "inline":
            return token.content
    return ""
