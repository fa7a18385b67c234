"""An executed notebook as a harmless piece of HTML: no script, no network, secrets masked."""

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from html import unescape
from pathlib import Path
from textwrap import indent
from typing import Any, Final
from urllib.parse import quote, unquote

import nh3

from runbook_nb.errors import RunbookFormatError
from runbook_nb.incident.cards.code import code_html
from runbook_nb.redaction import Redactor, visible
from runbook_nb.redaction.images import without_texts
from runbook_nb.runbook.document import read_whole_notebook
from runbook_nb.runbook.folders import templates_folder
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.text.formatting import anchor

_SHOWN_PARTS: Final = {
    f"include_{part}": True
    for part in ("code", "markdown", "raw", "unknown", "input", "output", "output_stdin")
} | {"include_input_prompt": False, "include_output_prompt": False}
TEXT_LIMIT: Final = 100_000  # characters of one output; the executed copy holds the rest
IMAGES: Final = ("image/png", "image/jpeg")
# The richest first, as JupyterLab shows them; only the first one that there is gets shown.
SHOWN_TYPES: Final = ("text/html", "text/markdown", "text/latex", *IMAGES, "text/plain")
_TAGS: Final = nh3.ALLOWED_TAGS | {"details", "summary", "section", "time"}
_ATTRIBUTES: Final = {
    "*": {"class", "role", "aria-label", "aria-hidden"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
    "time": {"datetime"},
    "ol": {"start"},
}
# Classes of our cards and of marked code; any other could borrow the look of the page.
_CLASS: Final = re.compile(r"rb-[a-z]+|[ckms]")
_IMAGE: Final = re.compile(r"data:image/(?:png|jpeg|gif);base64,[\w+/=\s]*")
_HEADING: Final = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_MARKUP: Final = re.compile(r"<[^>]*>")


def read_notebook(path: Path, *, redactor: Redactor | None) -> Mapping[str, Any]:
    """Read an executed notebook, masked; raises OSError or ValueError for what is none."""
    if path.is_symlink():
        message = "it is a link to another place"
        raise ValueError(message)
    try:
        notebook = read_whole_notebook(path)
        masking = redactor or Redactor(allowed=_contacts(notebook))
        notebook.cells = [_harmless_cell(cell, masking) for cell in notebook.cells]
    except (AttributeError, KeyError, TypeError, RunbookFormatError) as error:
        message = "it is not a whole notebook"
        raise ValueError(message) from error
    return dict(notebook)


def fragment(notebook: Mapping[str, Any], *, prefix: str) -> str:
    """Return a notebook as HTML; anchors begin with ``prefix``, so that none meets the page's."""
    resources = {"prefix": prefix, "global_content_filter": _SHOWN_PARTS}
    html: str = _template().render(nb=notebook, resources=resources)
    return html


@cache
def _template() -> Any:
    """Return the record's template in nbconvert's own environment, compiled once.

    It is rendered without nbconvert's copies of the notebook and its second parse of the HTML,
    which take longer than all else, and do nothing to a notebook that is harmless already.
    """
    lean_imports()
    from nbconvert.exporters import HTMLExporter

    exporter: Any = HTMLExporter(
        template_name="record",
        template_file="notebook.html.j2",
        # The default is the current folder: a template lying there would be taken.
        extra_template_basedirs=[str(templates_folder("record").parent)],
        # Embedding would read whatever local file a notebook names.
        embed_images=False,
        exclude_anchor_links=True,
        filters={
            "clean_html": clean_html,
            "highlight_code": code_html,
            # A harmless output has one type: what is shown was chosen when it was read.
            "filter_data_type": sorted,
        },
    )
    exporter.register_filter("markdown2html", _forgiving(exporter.markdown2html))
    return exporter.template


def _forgiving(markdown: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    """Return a filter that shows what cannot be rendered as it was written.

    One cell that names a picture it does not hold would otherwise hide a whole notebook.
    """
    from jinja2 import pass_context
    from nbconvert.filters.markdown_mistune import InvalidNotebook

    @pass_context
    def rendered(context: Any, source: str) -> str:
        try:
            return markdown(context, source)
        except InvalidNotebook:
            return markdown(context, indent(source, "    "))

    return rendered


def clean_html(element: object, prefix: str) -> str:
    """Return HTML with nothing in it that runs, loads, or looks like the page around it.

    Headings go two levels down, below those of the page, and get anchors as in JupyterLab.
    """
    text = element.decode("utf-8", "replace") if isinstance(element, bytes) else str(element)
    cleaned = nh3.clean(
        text,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=partial(_attribute, prefix=prefix),
        url_schemes={"http", "https", "mailto", "data"},
    )
    return _HEADING.sub(partial(_lowered, prefix=prefix), cleaned)


def _attribute(tag: str, name: str, value: str, *, prefix: str) -> str | None:
    if name == "class":
        return " ".join(word for word in value.split() if _CLASS.fullmatch(word)) or None
    if name == "src":
        return value if _IMAGE.fullmatch(value) else None
    if tag == "a" and name == "href":
        if value.startswith("#"):
            return f"#{prefix}{value[1:]}"
        return value if value.startswith(("https://", "http://", "mailto:")) else None
    return value


def _lowered(heading: re.Match[str], *, prefix: str) -> str:
    level = min(6, int(heading[1]) + 2)
    words = " ".join(unescape(_MARKUP.sub("", heading[2])).split())
    name = quote(prefix + anchor(words), safe="-:.,;()!/")
    return f'<h{level} id="{unquote(name) if name.isascii() else name}">{heading[2]}</h{level}>'


def _contacts(notebook: Mapping[str, Any]) -> list[str]:
    """Return the addresses that the runbook itself names, which may be shown."""
    front = notebook["metadata"].get("runbook", {})
    named = front.get("escalation", ()) if isinstance(front, Mapping) else ()
    return [str(name) for name in named] if isinstance(named, list | tuple) else []


def _harmless_cell(cell: Any, redactor: Redactor) -> Any:
    cell.source = visible(redactor.mask(cell.source[:TEXT_LIMIT]))
    cell.metadata = {}
    if "attachments" in cell:
        cell.attachments = {name: _pictures(data) for name, data in cell.attachments.items()}
    if cell.cell_type == "code":
        cell.outputs = [_harmless_output(output, redactor) for output in cell.outputs]
    return cell


def _harmless_output(output: Any, redactor: Redactor) -> Any:
    def harmless(text: object) -> str:
        whole = "".join(text) if isinstance(text, list) else str(text)
        cut = f"\n… [cut: {len(whole):,} characters in all]" if len(whole) > TEXT_LIMIT else ""
        return visible(redactor.mask(whole[:TEXT_LIMIT])) + cut

    if output.output_type == "stream":
        output.text = harmless(output.text)
    elif output.output_type == "error":
        output.traceback = [harmless(line) for line in output.traceback]
    else:
        shown = next((kind for kind in SHOWN_TYPES if kind in output.data), None)
        kinds = ", ".join(sorted(redactor.mask(kind) for kind in output.data))
        value = output.data[shown] if shown else None
        if shown in IMAGES:
            output.data = _pictures({shown: value})
        else:
            output.data = {shown: harmless(value)} if shown else {}
        # What is not shown is said; the executed copy holds it.
        output.data = output.data or {"text/plain": f"(Not shown here: {visible(kinds)})"}
        output.metadata = {}
    return output


def _pictures(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the pictures of a bundle, without the words in them."""
    encoded = {kind: "".join(data[kind]) for kind in IMAGES if kind in data}
    return {kind: kept for kind, text in encoded.items() if (kept := without_texts(text))}
