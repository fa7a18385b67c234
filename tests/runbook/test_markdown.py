"""Markdown: headings, code and lists with their lines."""

from runbook_nb.runbook.markdown import read_markdown


def test_a_heading_is_what_a_reader_of_the_page_sees():
    """Underlined too; not in HTML, code or quotes."""
    lines = ["One", "===", "", "<div>", "# Not this", "</div>", "", "> # Nor this", "## About C#"]

    found = read_markdown(lines, first=10).headings

    assert [(heading.level, heading.text, heading.line) for heading in found] == [
        (1, "One", 10),
        (2, "About C#", 18),
    ]


def test_code_in_a_list_has_the_lines_where_it_stands():
    """A finding must lead to them."""
    (block,) = read_markdown(["- do it:", "", "  ```sh", "  df -h", "  ```"], first=1).code

    assert list(block.numbered()) == [(4, "df -h")]
    assert block.language == "sh"


def test_items_of_a_list_are_its_first_words():
    """Each with its line."""
    items = read_markdown(["text", "", "- `a`: when", "- b", "  more"]).items

    assert [(item.line, item.text) for item in items] == [(3, "`a`: when"), (4, "b\nmore")]


def test_lines_outside_of_fences_keep_their_numbers():
    """So that words are told from code."""
    found = read_markdown(["a", "```", "b", "```", "c"], first=5).unfenced()

    assert list(found) == [(5, "a"), (9, "c")]
