"""One reading of a pair: the Markdown is cut as the pairing cuts it, and errors name the place."""

import ast
import json
from pathlib import Path

import jupytext
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jupytext.languages import _COMMENT, _JUPYTER_LANGUAGES_LOWER_AND_UPPER
from jupytext.stringparser import StringParser

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.cells import RUNNABLE, Cell, cut_cells
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.quotes import COMMENTS, Quotes

MASTERS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.md"))
FRONT = f"---\n{MASTERS[0].read_text(encoding='utf-8').split('---', 2)[1].strip()}\n---\n"
LINES = """
text
# Heading
```python
```python tags=["parameters"]
```python .noeval
```
````
````python
```bash
```SQL
```R .noeval
```text
```{note}
~~~
    code
- item
  ```text
  ```
x = 1
s = '''
'''
# it's
<!-- #region -->
<!-- #endregion -->
<!-- #raw -->
<!-- #endraw -->
<div>
> quoted
""".splitlines()


def test_every_language_that_the_pairing_runs_is_known():
    """A cell that runs and that nobody saw would be the worst of all."""
    assert RUNNABLE == _JUPYTER_LANGUAGES_LOWER_AND_UPPER
    assert {name: mark for name, mark in _COMMENT.items() if name in RUNNABLE} == COMMENTS


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.text(alphabet="ab'\"\\#/*(;-% ", max_size=12), max_size=6),
    language=st.sampled_from(sorted(RUNNABLE)),
)
def test_any_quotes_are_followed_as_the_pairing_follows_them(lines, language):
    """Which lines stand in a string decides where a cell ends."""
    theirs, ours = StringParser(language), Quotes(language)
    for line in lines:
        theirs.read_line(line)
        ours.read(line)
        assert ours.are_open == bool(theirs.is_quoted())


@settings(max_examples=100, deadline=None)
@example(lines=["", "```python .noeval", "```python", "```", "```python", "```python"])
@example(lines=["```python .noeval", "```", "", "", "text"])
@example(lines=["```python", "s = '''", "```python"])
@given(lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=14))
def test_any_markdown_is_cut_into_the_cells_that_the_pairing_makes(lines):
    """What lint judges is what runs."""
    notebook = jupytext.reads(FRONT + "\n".join(["", *lines, ""]), fmt="md")

    found = [(cell.kind, cell.source) for cell in cut_cells(["", *lines], first=1)]
    assert found == [(cell.cell_type, cell.source) for cell in notebook.cells]


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_both_files_of_a_pair_are_read_as_the_same(path):
    """Cells, tags and front matter; only the Markdown has lines."""
    markdown, notebook = Document.read(path), Document.read(path.with_suffix(".ipynb"))

    assert markdown.content == notebook.content
    assert markdown.digest == notebook.digest
    for cell in markdown.cells:
        place = cell.line - 1
        assert list(markdown.lines[place : place + len(cell.lines)]) == cell.lines


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.ipynb", '{"cells": [], "metadata": []}', "another form"),
        ("a.ipynb", '{"metadata": {}}', "no 'cells'"),
        ("a.ipynb", json.dumps({"metadata": {}, "cells": [{"cell_type": "code"}]}), "cell 1"),
        ("a.md", "# A\n", "no front matter"),
        ("a.md", "---\na: [\n---\n", "not YAML"),
        ("a.md", "<!--\n\n---\na: 1\n---\n\n# A\n", "no front matter"),
        ("a.md", "<!--\n\n# A\n\n---\na: 1\n---\n\n-->\n", "no front matter"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(tmp_path, name, text, said):
    """Whoever made it must find it."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    with pytest.raises(RunbookFormatError, match=rf"a\.\w+: .*{said}"):
        Document.read(path)


@pytest.mark.parametrize(
    "source",
    [
        'incident.check("Größe 大", a.lag(\n    of="é"), expect=at_most(5, "µs"))',
        'incident.check(\r\n    "Lag",\r\n    a.lag(),\r\n)',
        'incident.check("Lag",\f a.lag())',
    ],
)
def test_a_part_of_a_cell_is_told_as_python_tells_it(source):
    """Columns are bytes, and line ends of other systems count."""
    cell = Cell(kind="code", source=source)

    for node in ast.walk(cell.tree):
        if isinstance(node, ast.expr):
            assert cell.segment(node) == ast.get_source_segment(source, node)


def test_a_cell_is_read_though_another_thread_parses(monkeypatch):
    """As Python 3.11 says of it; what a thread's parse finds of another's cannot be timed."""
    parse, errors = ast.parse, [SystemError("AST constructor recursion depth mismatch")] * 3

    def held_up(source: str) -> ast.Module:
        if errors:
            raise errors.pop()
        return parse(source)

    monkeypatch.setattr(ast, "parse", held_up)
    assert isinstance(Cell(kind="code", source="incident.decide()").tree, ast.Module)
    assert errors == []
