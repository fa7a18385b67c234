"""The reference as a static site that needs no network: a page a topic, an index, the schemas."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from runbook_nb.authoring.reference.schemas import SCHEMAS, schema
from runbook_nb.authoring.reference.topic import Topic
from runbook_nb.errors import ParameterError
from runbook_nb.text.files import write_atomically

INDEX: Final = "index.html"
# What says that a folder is one that this wrote, and may be written again.
_MARK: Final = '<meta name="generator" content="runbook docs">'


def write_site(folder: Path, topics: Sequence[Topic]) -> Path:
    """Write the site and return its index; raises ParameterError where other files stand."""
    index = folder / INDEX
    if folder.exists() and not folder.is_dir():
        message = f"--to {folder}: it is a file. Name a folder."
        raise ParameterError(message)
    if folder.is_dir() and any(folder.iterdir()) and not _is_ours(index):
        message = f"--to {folder}: it holds other files. Name a new folder, such as reference."
        raise ParameterError(message)
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    pages = {f"{topic.name}.html": _page(topic.title, topic.markdown(), topics) for topic in topics}
    listed = "\n".join(f"- [{topic.title}]({topic.name}.html)" for topic in topics)
    pages[INDEX] = _page("Reference", f"# Reference\n\n{listed}\n", topics)
    for name, html in pages.items():
        write_atomically(folder / name, html)
    for name in SCHEMAS:
        text = json.dumps(schema(name), indent=2, ensure_ascii=False)
        write_atomically(folder / "schemas" / f"{name}.json", f"{text}\n")
    return index


def _is_ours(index: Path) -> bool:
    return index.is_file() and _MARK in index.read_text(encoding="utf-8", errors="replace")


def _page(title: str, markdown: str, topics: Sequence[Topic]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markdown_it import MarkdownIt

    from runbook_nb.runbook.folders import templates_folder

    folder = templates_folder("reference")
    templates = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined
    )
    return templates.get_template("page.html.j2").render(
        title=title,
        # Docstrings are written by us; HTML in them is shown as text all the same.
        body=MarkdownIt("commonmark", {"html": False}).render(markdown),
        style=(folder / "reference.css").read_text(encoding="utf-8"),
        mark=_MARK,
        topics=topics,
    )
