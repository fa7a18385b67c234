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
    from runbook_nb.authoring.reference import topic_names

    return [name for name in topic_names() if name.startswith(incomplete)]


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
    from runbook_nb.authoring.reference import topic_names

    if topic and topic not in topic_names():
        message = f"No topic {topic!r}. {near(topic, topic_names())}"
        raise ParameterError(message)
    found = reference(*filter(None, [topic]))
    if not topic and not search:
        index = "\n".join(f"{page.name:14} {page.title}" for page in found)
        titles = {page.name: page.title for page in found}
        return say(index, facts=titles, as_json=as_json)
    entries = {page.name: [each for each in page.entries if each.holds(search)] for page in found}
    if search and not any(entries.values()):
        where = topic or "the reference"
        raise ParameterError(f"Nothing in {where} holds {search!r}. Topics: runbook help")
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


def reference(*names: str) -> list["Topic"]:
    """Return the topics of these names, or all topics of the reference."""
    from runbook_nb.authoring.reference import topics

    meant = {str(verdict): code for verdict, code in EXIT_CODES.items()}
    meant["unknown, or an error"] = meant.pop("unknown")
    return topics(_commands(), meant, names=names)


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
