"""Rules about the cells of steps: one verb, literals, and in its place."""

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import near
from runbook_nb.runbook.cells import PYTHON
from runbook_nb.runbook.steps import VERBS

# Positional arguments, keywords that must be there, and keywords that may.
WORDS: Final[Mapping[str, tuple[int, frozenset[str], frozenset[str]]]] = {
    "check": (2, frozenset({"expect", "if_failed"}), frozenset({"fail", "fresh"})),
    "decide": (0, frozenset(), frozenset({"option", "reason"})),
    "act": (2, frozenset({"because", "risk", "undo"}), frozenset()),
    "verify": (1, frozenset({"within"}), frozenset({"readings"})),
    "undo": (1, frozenset(), frozenset()),
    "ask": (1, frozenset({"owner"}), frozenset()),
    "note": (1, frozenset(), frozenset({"runbook"})),
    "stop": (1, frozenset(), frozenset()),
}
PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "check": ("Diagnosis", "Verification"),
    "verify": ("Verification",),
    "decide": ("Resolution Steps",),
    "act": ("Resolution Steps",),
    "undo": ("Resolution Steps",),
}
_NAMES: Final[Mapping[type, str]] = {
    ast.JoinedStr: "an f-string",
    ast.BinOp: "arithmetic",
    ast.BoolOp: "a condition",
    ast.Compare: "a comparison",
    ast.IfExp: "an if",
    ast.ListComp: "a loop",
    ast.SetComp: "a loop",
    ast.DictComp: "a loop",
    ast.GeneratorExp: "a loop",
    ast.Lambda: "a function",
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    ast.Starred: "unpacking",
    ast.NamedExpr: "an assignment",
    ast.If: "an if",
    ast.For: "a loop",
    ast.While: "a loop",
    ast.Import: "an import",
    ast.ImportFrom: "an import",
    ast.Assign: "an assignment",
    ast.FunctionDef: "a function",
    ast.Try: "a try",
    ast.With: "a with",
}


@rule(
    "one-verb",
    reason="A responder reads a cell in five seconds and must see all that it can do.",
    fix="Write one `incident.<verb>(…)`; put code into a system of the pack, with a test, "
    "and commands to read into a ```text block.",
)
def one_verb(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Write one verb in every cell below the opening."""
    for cell in page.cells[2:]:
        tree = cell.tree
        if cell.language not in PYTHON:
            message = f"This ```{cell.language} block becomes a cell that Jupyter runs."
            yield Flaw(line=cell.line - 1, message=message)
        elif isinstance(tree, SyntaxError):
            line = cell.line + max((tree.lineno or 1) - 1, 0)
            yield Flaw(line=line, message=f"This is not Python: {tree.msg}.")
        elif message := _other_than_a_verb(tree):
            yield Flaw(line=cell.line, message=message)


@rule(
    "literals",
    reason="What a step asks or changes must be readable without running anything.",
    fix="Write the value itself or a parameter; put code into a system of the pack, with a test.",
)
def literals(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Use literals, parameters, limits, durations, or a probe or action of those."""
    parameters = {parameter.name for parameter in page.parameters}
    for placed in page.steps:
        base = placed.line - placed.call.lineno
        values = [*placed.call.args, *(word.value for word in placed.call.keywords)]
        for value in values:
            for node in _unfit(value, page, parameters):
                message = f"`{ast.unparse(node)}` is {_said(node)}, not a literal."
                if isinstance(node, ast.Name):
                    message = f"`{node.id}` is no parameter. {near(node.id, parameters)}"
                yield Flaw(line=base + node.lineno, message=message)


@rule(
    "verb-words",
    reason="A verb that is called wrongly stops the run in the middle.",
    fix="Call it as `incident.<TAB>` shows.",
)
def verb_words(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Give every verb the arguments it needs, a title among them, and no others."""
    for placed in page.steps:
        verb, call = placed.step.verb, placed.call
        count, needed, allowed = WORDS[verb]
        given = {word.arg or "**" for word in call.keywords}
        if len(call.args) != count:
            message = f"`{verb}` takes {count} arguments before its keywords, not {len(call.args)}."
            yield Flaw(line=placed.line, message=message)
        elif count and not _is_title(call.args[0]):
            yield Flaw(line=placed.line, message=f"The first argument of `{verb}` is no text.")
        for word in sorted(needed - given):
            yield Flaw(line=placed.line, message=f"`{verb}` has no `{word}`.")
        for word in sorted(given - needed - allowed):
            yield Flaw(line=placed.line, message=f"`{verb}` takes no `{word}`.")


@rule(
    "places",
    reason="Diagnosis must be safe to run at any time; what changes something is chosen first.",
    fix="Read in Diagnosis, act below an option of Resolution Steps, verify in Verification.",
)
def places(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Put each verb into the section it belongs to, actions below an option."""
    for placed in page.steps:
        verb, section = placed.step.verb, placed.step.section
        where = PLACES.get(verb, (section,))
        if section not in where:
            message = f"`{verb}` stands in {section or 'no section'}, not in {where[0]}."
            yield Flaw(line=placed.line, message=message)
        elif verb in ("act", "undo") and not placed.step.option:
            yield Flaw(line=placed.line, message=f"`{verb}` stands below no option.")


@rule(
    "decide",
    reason="Actions wait for the decision, and the record shows what it rests on.",
    fix="Put one cell `incident.decide()` at the top of Resolution Steps.",
)
def decide(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Decide once, before the first option."""
    found = page.of("decide")
    first = next((heading.line for heading in page.options()), len(page.lines))
    if not found:
        line, _ = page.section("Resolution Steps")
        yield Flaw(line=line, message="Nothing decides which option is taken.")
    for placed in found[1:]:
        yield Flaw(line=placed.line, message="This is a second decision.")
    for placed in found[:1]:
        if placed.line > first:
            yield Flaw(line=placed.line, message="The decision stands below the first option.")
        if placed.call.keywords:
            yield Flaw(line=placed.line, message="The runbook may not choose for the responder.")


def _other_than_a_verb(tree: ast.Module) -> str:
    if len(tree.body) != 1:
        return f"This cell holds {len(tree.body)} statements."
    (node,) = tree.body
    value = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return f"This cell is {_said(value or node)}, not a verb."
    owner, verb = value.func.value, value.func.attr
    if not isinstance(owner, ast.Name) or owner.id != "incident":
        return f"This cell calls `{ast.unparse(value.func)}`, not a verb of `incident`."
    return "" if verb in VERBS else f"`incident.{verb}` is no verb. {near(verb, VERBS)}"


def _unfit(node: ast.expr, page: RunbookPage, parameters: set[str]) -> Iterator[ast.expr]:
    """Return the parts of an argument that are neither literal nor a call of known names."""
    if isinstance(node, ast.Tuple | ast.List):
        inside = list(node.elts)
    elif isinstance(node, ast.Dict) and None not in node.keys:
        inside = [*filter(None, node.keys), *node.values]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        inside = []
    elif isinstance(node, ast.Call) and _is_known(node.func, page):
        inside = [*node.args, *(word.value for word in node.keywords)]
    elif isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in parameters):
        inside = []
    else:
        yield node
        return
    for part in inside:
        yield from _unfit(part, page, parameters)


def _is_known(function: ast.expr, page: RunbookPage) -> bool:
    """Tell whether a call is of an imported limit or duration, or of a system's name."""
    if isinstance(function, ast.Name):
        return page.imported.get(function.id, ("",))[0].startswith("runbook_nb")
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)


def _is_title(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value.strip())
    )


def _said(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return f"a call of what is not imported ({ast.unparse(node.func)})"
    return _NAMES.get(type(node), "something else")
