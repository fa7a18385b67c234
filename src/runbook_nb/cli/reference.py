"""Commands for the reference: help, docs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_nb.cli.app import EXIT_CODES, AsJson, app, say
from runbook_nb.errors import ParameterError, near

if TYPE_CHECKING:
    from runbook_nb.authoring.reference import Entry, Topic


def _topic_names(incomplete: str) -> list[str]:
    return [topic.name for topic in reference() if topic.name.startswith(incomplete)]


@app.command("help")
def help_(
    topic: Annotated[
        str,
        typer.Argument(
            help="A topic, such as verbs; without one, what there is.",
            autocompletion=_topic_names,
            show_default=False,
        ),
    ] = "",
    *,
    search: Annotated[str, typer.Option("--search", help="Only entries that hold this word.")] = "",
    as_json: AsJson = False,
) -> None:
    """Read the reference in the terminal: verbs, limits, events, settings, and the rest.

    Example: runbook help verbs
    """
    pages = reference()
    if not topic and not search:
        index = "\n".join(f"{page.name:14} {page.title}" for page in pages)
        titles = {page.name: page.title for page in pages}
        return say(index, facts=titles, as_json=as_json)
    found = [page for page in pages if topic in ("", page.name)]
    if not found:
        message = f"No topic {topic!r}. {near(topic, [page.name for page in pages])}"
        raise ParameterError(message)
    entries = {page.name: [each for each in page.entries if each.holds(search)] for page in found}
    if search and not any(entries.values()):
        raise ParameterError(f"Nothing in the reference holds {search!r}. Topics: runbook help")
    facts = {name: [vars(each) for each in held] for name, held in entries.items()}
    shown = [text for page in found for text in _found(page, search)]
    return say("\n".join(shown).removesuffix("\n"), facts=facts, as_json=as_json)


@app.command()
def docs(
    *,
    to: Annotated[Path, typer.Option(help="The folder of the site.")] = Path("reference"),
    as_json: AsJson = False,
) -> None:
    """Write the reference as a static site, with the JSON Schemas; it needs no network.

    Example: runbook docs --to reference
    """
    from runbook_nb.authoring.reference import write_site

    index = write_site(to, reference())
    say(f"Reference: {index}", facts={"index": str(index)}, as_json=as_json)


def reference() -> list["Topic"]:
    """Return all topics of the reference."""
    from runbook_nb.authoring.reference import topics

    meant = {str(verdict): code for verdict, code in EXIT_CODES.items()}
    meant["unknown, or an error"] = meant.pop("unknown")
    return topics(list(_commands()), meant)


def _found(page: "Topic", word: str) -> Iterator[str]:
    if not word:
        yield page.markdown()
        return
    for entry in page.entries:
        if entry.holds(word):
            yield f"{page.name}: {entry.name}\n{entry.about}\n"


def _commands() -> Iterator["Entry"]:
    """Yield every command with its usage and its help, those of groups by both words."""
    root = typer.main.get_command(app)
    yield from _commands_of(root, "runbook")


def _commands_of(group: object, begin: str) -> Iterator["Entry"]:
    from runbook_nb.authoring.reference import Entry

    for name, command in sorted(getattr(group, "commands", {}).items()):
        if getattr(command, "commands", None):
            yield from _commands_of(command, f"{begin} {name}")
            continue
        options = [
            f"  {', '.join([*each.opts, *each.secondary_opts])}  {getattr(each, 'help', '') or ''}"
            for each in command.params
        ]
        about = " ".join((command.help or "").split("Example:")[0].split())
        usage = "\n".join([f"{begin} {name}", *(line.rstrip() for line in options)])
        yield Entry(name=f"{begin} {name}", form=usage, about=about)
