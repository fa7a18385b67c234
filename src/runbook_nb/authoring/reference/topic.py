"""A topic of the reference: what it is about, and its entries, each with a sentence of its own."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that can be written or read: its name, its form, and what it means."""

    name: str
    form: str = ""
    about: str

    def holds(self, word: str) -> bool:
        """Tell whether the word stands in it, in large letters or small ones."""
        return word.casefold() in f"{self.name} {self.form} {self.about}".casefold()


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One page of the reference; ``name`` is what ``runbook help`` takes."""

    name: str
    title: str
    about: str
    entries: Sequence[Entry]

    def markdown(self) -> str:
        """Return the page as Markdown, as it is shown in a terminal and made a page of the site."""
        blocks = [f"# {self.title}", self.about]
        for entry in self.entries:
            blocks.append(f"## {entry.name}")
            if entry.form:
                blocks.append(f"```\n{entry.form}\n```")
            blocks.append(entry.about)
        return "\n\n".join(blocks) + "\n"


def documented(thing: object) -> str:
    """Return the docstring of a thing as paragraphs; empty where it has none."""
    return inspect.cleandoc(getattr(thing, "__doc__", None) or "").replace("``", "`")
