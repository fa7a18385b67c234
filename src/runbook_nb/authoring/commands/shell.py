"""A shell text taken apart by tree-sitter's grammar of bash: calls, files written, and the rest."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from runbook_nb.authoring.commands.effect import READS, Judgement, changes, unknown

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_LONGEST: Final = 20_000  # characters; nobody copies a longer command
_SINKS: Final = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "-"})
_WRITING: Final = frozenset({">", ">>", ">|", "&>", "&>>", "<>", ">&", "&>|"})
# Variables by which a program is made to run another one, or is another one itself.
_LEADING_ASTRAY: Final = re.compile(
    r"(?:LD|DYLD|GIT|BASH|PYTHON|PERL|RUBY|NODE|JAVA|LESS|MAN|SYSTEMD|XDG)_?\w*|\w*PAGER\w*|"
    r"\w*EDITOR|VISUAL|BROWSER|PATH|IFS|ENV|SHELL|HOME|PS[0-4]|PROMPT_COMMAND|\w*OPT(?:ION)?S|"
    r"\w*_COMMAND|\w*_DIFF|\w*ASKPASS|AWKPATH|POSIXLY_CORRECT|TAPE|RSYNC_RSH|\w*_PLUGIN\w*",
    re.IGNORECASE,
)
# A placeholder in angle brackets is no redirection; nothing may stand right behind it that would
# be the name of a file.
_PLACEHOLDER: Final = re.compile(r"(?<![<\w>])<([A-Za-z][\w .:/-]{0,40}?)(?<![\s-])>(?![\w>&~$])")
_TEMPLATE: Final = re.compile(r"\{\{[^{}\n]{0,80}\}\}")
_BROKEN: Final = re.compile(r"(?<!\\)(?:\\\\)*\n")
STAND_IN: Final = "PLACEHOLDER"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a program: its words, and what it is given on its standard input.

    ``given`` is the text of a heredoc; ``piped`` says that another call writes into it.
    """

    words: tuple[str, ...]
    given: str = ""
    piped: bool = False
    dynamic: bool = False


@dataclass
class Script:
    """What a text holds: its calls, and judgements of all that is no call."""

    calls: list[Call] = field(default_factory=list)
    others: list[Judgement] = field(default_factory=list)
    defined: set[str] = field(default_factory=set)


def read_script(text: str) -> Script:
    """Take a shell text apart; what cannot be parsed is among its judgements as unknown."""
    script = Script()
    if len(text) > _LONGEST:
        script.others.append(unknown("it is too long to be a command"))
        return script
    root = _parser().parse(without_placeholders(text).encode()).root_node
    if root.has_error:
        script.others.append(unknown("it is no shell that can be parsed"))
    try:
        _walk(root, script, piped=False)
    except RecursionError:
        script.others.append(unknown("it is nested too deeply"))
    return script


def without_placeholders(text: str) -> str:
    """Return a text with a word in the place of each ``<name>`` and ``{{ name }}``."""
    return _TEMPLATE.sub(STAND_IN, _PLACEHOLDER.sub(STAND_IN, text))


@cache
def _parser() -> "Parser":
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def _walk(node: "Node", script: Script, *, piped: bool) -> None:
    match node.type:
        case "command":
            script.calls.append(_call(node, piped=piped))
        case "redirected_statement":
            return _redirected(node, script, piped=piped)
        case "file_redirect":
            script.others.extend(_written(node))
        case "variable_assignment":
            script.others.append(_assignment(node))
        case "function_definition":
            script.defined.add(_text(node.named_children[0]))
        case "test_command" | "declaration_command" | "unset_command" | "comment":
            # What they hold is walked through; by themselves they change only the shell's own.
            script.others.extend([READS] if node.type != "comment" else [])
        case "word" | "number" | "variable_name" if _BROKEN.search(_text(node)):
            # The grammar takes a line that begins with a backslash for the end of the line above.
            script.others.append(unknown("its lines cannot be told apart"))
        case _:
            pass
    into = piped
    for child in node.children:
        if child.type in ("|", "|&"):
            into = True
        else:
            _walk(child, script, piped=into)
    return None


def _redirected(node: "Node", script: Script, *, piped: bool) -> None:
    """Walk through a statement with redirections, whose words may stand behind these as well."""
    before = len(script.calls)
    body = node.child_by_field_name("body")
    if body is not None:
        _walk(body, script, piped=piped)
    within = range(before, len(script.calls))
    for child in node.children:
        if body is not None and child.id == body.id:
            continue
        more, given = _behind(child)
        for at in within if more or given else ():
            # Which of several calls they belong to is for the shell to say; each may be it.
            call = script.calls[at]
            script.calls[at] = replace(call, words=(*call.words, *more), given=call.given or given)
        _walk(child, script, piped=piped)


def _behind(node: "Node") -> tuple[list[str], str]:
    """Return the words that stand behind a redirection, and the text that it gives."""
    if node.type == "file_redirect":
        return [_word(each) for each in node.children_by_field_name("destination")[1:]], ""
    if node.type == "herestring_redirect":
        return [], "".join(map(_word, node.named_children))
    if node.type != "heredoc_redirect":
        return [], ""
    kinds = {"word", "string", "raw_string", "concatenation", "number", "simple_expansion"}
    words = [_word(each) for each in node.named_children if each.type in kinds]
    bodies = [_text(each) for each in node.named_children if each.type == "heredoc_body"]
    return words, "".join(bodies)


def _call(node: "Node", *, piped: bool) -> Call:
    words: list[str] = []
    given, dynamic = "", False
    for child in node.named_children:
        if child.type in ("variable_assignment", "comment"):
            continue
        if child.type in ("file_redirect", "herestring_redirect"):
            more, given = _behind(child)
            words.extend(more)
        elif child.type == "command_name":
            dynamic = _is_dynamic(child)
            words.append(_word(child))
        else:
            words.append(_word(child))
    return Call(words=tuple(words), given=given, piped=piped, dynamic=dynamic)


def _written(node: "Node") -> Iterator[Judgement]:
    signs = {child.type for child in node.children if not child.is_named}
    targets = node.children_by_field_name("destination")
    target = _word(targets[0]) if targets else ""
    descriptor = ">&" in signs and (target.isdigit() or target == "-")
    if signs & _WRITING and not descriptor and target not in _SINKS:
        yield changes(f"> {target}")


def assigned(name: str) -> Judgement:
    """Return what it does to set a variable: of some, what runs hangs on them."""
    return unknown(f"{name} decides what runs") if _LEADING_ASTRAY.fullmatch(name) else READS


def _assignment(node: "Node") -> Judgement:
    name = node.child_by_field_name("name")
    return assigned(_text(name).partition("[")[0]) if name is not None else READS


def _is_dynamic(node: "Node") -> bool:
    kinds = (
        "simple_expansion",
        "expansion",
        "command_substitution",
        "ansi_c_string",
        "brace_expression",
    )
    return node.type in kinds or any(map(_is_dynamic, node.children))


def _word(node: "Node") -> str:
    """Return a word as the program would get it; what is filled in later stands as it is."""
    match node.type:
        case "raw_string":
            return _text(node)[1:-1]
        case "string":
            inner = _text(node)[1:-1]
            return re.sub(r'\\([$`"\\])', r"\1", inner.replace("\\\n", ""))
        case "word":
            return re.sub(r"\\(.)", r"\1", _text(node), flags=re.DOTALL)
        case "concatenation" | "command_name":
            return "".join(map(_word, node.children)) if node.children else _text(node)
        case "ansi_c_string":
            return _text(node)[2:-1].replace("\\n", "\n").replace("\\t", "\t")
    return _text(node)


def _text(node: "Node") -> str:
    return (node.text or b"").decode(errors="replace")
