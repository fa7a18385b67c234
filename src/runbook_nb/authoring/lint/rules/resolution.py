"""Rules about the way from a failed check through an option to a proof."""

from collections.abc import Iterator, Mapping
from typing import Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.finding import Severity
from runbook_nb.authoring.lint.page import Placed, RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import near
from runbook_nb.runbook.steps import letter

# "Restart it." tells a stranger nothing; five words hold at least a verb, a thing and a place.
WORDS_OF_A_MANUAL_STEP: Final = 5
WORDS_OF_A_RISK: Final = 3


@rule(
    "if-failed",
    reason="A failed check must say where to go on.",
    fix="Name a heading of this runbook, word for word.",
)
def if_failed(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Name in every check's if_failed a heading of this runbook."""
    known = [heading.text for heading in page.headings]
    for placed in page.of("check"):
        said = placed.words("if_failed")
        if placed.argument("if_failed") is not None and said not in known:
            message = f"{said!r} is no heading here. {near(said, _goals(page))}"
            yield Flaw(line=placed.line_of("if_failed"), message=message)


@rule(
    "reachable",
    reason="An option that no check leads to is never recommended.",
    fix="Name it in the `if_failed` of a check, or take it out.",
)
def reachable(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Lead to every option from some check."""
    led_to = {placed.words("if_failed") for placed in page.of("check")}
    for heading in page.options():
        if heading.text not in led_to:
            yield Flaw(line=heading.line, message=f"No check leads to '{heading.text}'.")


@rule(
    "ranking",
    reason="What it says of others is passed over in silence, and another option goes first.",
    fix="Write `first: [{option: A, because: …}]` and `shared: {Title of a check: [B]}`.",
)
def ranking(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Rank in the front matter only options and checks of this runbook."""
    said = page.front.get("ranking")
    if said is None:
        return
    if not _is_ranking(said):
        message = "`ranking` is written in a form that says nothing."
        yield Flaw(line=page.front_line("ranking"), message=message)
        return
    letters, titles = [letter(each.text) for each in page.options()], page.titles("check")
    for name in (str(one["option"]) for one in said.get("first", ())):
        if name not in letters:
            message = f"No option has the letter {name!r}. {near(name, letters)}"
            yield Flaw(line=page.front_line("ranking", f"option: {name}"), message=message)
    for title, names in said.get("shared", {}).items():
        line = page.front_line("ranking", f"{title}:")
        if title not in titles:
            message = f"No check is titled {title!r}. {near(str(title), titles)}"
            yield Flaw(line=line, message=message)
        for name in map(str, names):
            if name not in letters:
                message = f"{title!r} is shared with {name!r}, no option. {near(name, letters)}"
                yield Flaw(line=line, message=message)


@rule(
    "option-steps",
    reason="An option without a step chooses nothing.",
    fix="Add an `act`, or an `ask` that says in words what to do.",
)
def option_steps(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Give every option an action or a manual step."""
    stepped = {placed.step.option for placed in page.of("act", "ask", "stop")}
    for heading in page.options():
        if heading.text not in stepped:
            yield Flaw(line=heading.line, message=f"'{heading.text}' has no step.")


@rule(
    "verified",
    reason="Nothing is resolved until the check that failed passes again.",
    fix="Add `incident.verify` of a check whose `if_failed` is this option.",
)
def verified(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Prove every option by verifying a check that leads to it, or by the next runbook."""
    proved = set(page.titles("verify"))
    others = shelf.names - {page.name}
    for heading in page.options():
        leading = _leading(page, heading.text)
        hands_over = any(word in others for word in heading.text.split())
        if leading and not hands_over and not proved.intersection(leading):
            # What a person finishes cannot be verified within the run; it is worth a look only.
            manual = any(placed.step.option == heading.text for placed in page.of("ask"))
            yield Flaw(
                line=heading.line,
                message=f"'{heading.text}' is proved by nothing; verify {' or '.join(leading)}.",
                severity=Severity.WARNING if manual else None,
            )


@rule(
    "verify-known",
    reason="A verification repeats a check; one that never ran stops the run.",
    fix="Use the title of a check, word for word.",
)
def verify_known(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Name in every verification a check of this runbook."""
    known = page.titles("check")
    for placed in page.of("verify"):
        if placed.step.title not in known:
            message = f"No check is titled {placed.step.title!r}. {near(placed.step.title, known)}"
            yield Flaw(line=placed.line, message=message)


@rule(
    "because",
    reason="An action is read again before it is done; without its check it cannot be.",
    fix="Name the titles of the checks that call for it, word for word.",
)
def because(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Name for every action the existing checks that call for it."""
    known = page.titles("check")
    for placed in page.of("act"):
        named = _because(placed)
        line = placed.line_of("because")
        if placed.argument("because") is not None and not named:
            yield Flaw(line=line, message="`because` names no check.")
        for title in named:
            if title not in known:
                message = f"No check is titled {title!r}. {near(title, known)}"
                yield Flaw(line=line, message=message)


@rule(
    "called-for",
    reason="An action is skipped when the checks it names pass, and the option then does nothing.",
    fix="Let one action name, in `because`, a check whose `if_failed` is this option.",
)
def called_for(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Have in every option with actions one that a check leading there calls for."""
    for heading in page.options():
        acts = [placed for placed in page.of("act") if placed.step.option == heading.text]
        named = {title for placed in acts for title in _because(placed)}
        leading = _leading(page, heading.text)
        if acts and leading and not named.intersection(leading):
            message = f"No action here is called for by {' or '.join(leading)}."
            yield Flaw(line=heading.line, message=message)


@rule(
    "risk",
    reason="Nobody can say yes to an action without knowing what it costs.",
    fix="Say in a sentence what users lose while it is done, and how it is taken back.",
)
def risk(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Say in words of every action its risk and its undo."""
    for placed in page.of("act"):
        for name in ("risk", "undo"):
            said = placed.words(name)
            if placed.argument(name) is not None and len(said.split()) < WORDS_OF_A_RISK:
                yield Flaw(line=placed.line_of(name), message=f"`{name}` says {said!r}.")


@rule(
    "manual-words",
    reason="A manual step must be doable by a stranger with nothing executing.",
    fix=f"Say in at least {WORDS_OF_A_MANUAL_STEP} words what to do, where, and what comes back.",
)
def manual_words(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Say in words what to do in every manual step."""
    for placed in page.of("ask"):
        words = [word for word in placed.step.title.split() if any(map(str.isalpha, word))]
        if len(words) < WORDS_OF_A_MANUAL_STEP:
            message = f"{placed.step.title!r} does not say what to do."
            yield Flaw(line=placed.line, message=message)


def _is_ranking(said: object) -> bool:
    if not isinstance(said, Mapping) or not said.keys() <= {"first", "shared"}:
        return False
    first, shared = said.get("first", []), said.get("shared", {})
    return (
        isinstance(first, list)
        and all(isinstance(one, Mapping) and one.keys() == {"option", "because"} for one in first)
        and isinstance(shared, Mapping)
        and all(isinstance(names, list) for names in shared.values())
    )


def _because(placed: Placed) -> list[str]:
    said = placed.step.words.get("because")
    if isinstance(said, str):
        return [said] if said else []
    return [title for title in said if isinstance(title, str)] if said else []


def _leading(page: RunbookPage, option: str) -> list[str]:
    """Return the titles of the checks whose if_failed is an option."""
    return [p.step.title for p in page.of("check") if p.words("if_failed") == option]


def _goals(page: RunbookPage) -> list[str]:
    return [heading.text for heading in page.options()] or [h.text for h in page.headings]
