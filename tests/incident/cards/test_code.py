"""Code on a page is marked sparingly, and stays text."""

from runbook_nb.incident.cards.code import code_html


def test_only_what_a_reader_tells_apart_is_marked():
    """Keyword, text, comment and number; names and signs stay plain."""
    shown = code_html("for name in 'ab':  # why\n    step(name, 15)")

    assert '<span class="k">for</span> name' in shown
    assert '<span class="c"># why</span>' in shown
    assert '<span class="m">15</span>)' in shown
    assert '<span class="s">&#x27;ab&#x27;</span>' in shown


def test_markup_in_code_is_escaped():
    """Also where it is no Python at all."""
    assert "<script" not in code_html("x = '<script>' <script>\n%%bash <b>")
