"""Typed parameters: what is given becomes what the runbook declares, or one clear error."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_nb.errors import ParameterError
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.runbook.parameters import Parameter, typed
from runbook_nb.runbook.runbook import Runbook

DECLARED = (
    Parameter(name="incident_id", type="str", default=""),
    Parameter(name="environment", type="str", default="lab", one_of=("lab", "staging")),
    Parameter(name="window", type="int", default=15, low=1, high=60, unit="min"),
    Parameter(name="share", type="float", default=0.5, low=0, high=1),
    Parameter(name="deep", type="bool", default=False),
)
HOSTILE = "x = 1\n__import__('os').system('true') #"


def runbook_of(*declared: Parameter) -> Runbook:
    return Runbook(
        name="heartbeat",
        path=Path("heartbeat.ipynb"),
        front={"name": "heartbeat", "title": "Heartbeat"},
        steps=(),
        headings=(),
        parameters=declared,
        digest="",
    )


RUNBOOK = runbook_of(*DECLARED)


def test_defaults_fill_what_is_not_given():
    """A run knows all its parameters, also those nobody named."""
    assert typed(RUNBOOK, {"incident_id": "INC-1"}) == {
        "incident_id": "INC-1",
        "environment": "lab",
        "window": 15,
        "share": 0.5,
        "deep": False,
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("window", "30", 30),
        ("window", " +7 ", 7),
        ("share", "0.25", 0.25),
        ("share", "1e-1", 0.1),
        ("share", "1", 1.0),
        ("deep", "yes", True),
        ("deep", "False", False),
        ("incident_id", "42", "42"),
    ],
)
def test_text_becomes_the_declared_type(name, text, value):
    """A command line only knows text."""
    found = typed(RUNBOOK, {name: text})[name]

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("window", "61", "Parameter 'window' cannot be '61': it must be a whole number from 1 to"),
        ("window", "0", "from 1 to 60 min"),
        ("window", "3.5", "whole number"),
        ("window", "1_0", "whole number"),
        ("window", True, "whole number"),
        ("share", "nan", "a number from 0 to 1"),
        ("share", "1e999", "a number"),
        ("deep", "maybe", "true or false"),
        ("deep", 1, "true or false"),
        ("environment", "moon", "one of lab, staging"),
        ("incident_id", 7, "text"),
        ("incident_id", "\udcff", "text"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(name, wrong, words):
    """The message names the parameter, the value and the way out."""
    with pytest.raises(ParameterError, match=f"(?s){name}.*") as caught:
        typed(RUNBOOK, {name: wrong})

    assert words in str(caught.value)


def test_an_unknown_name_brings_near_names():
    """A typing error is put right at once."""
    with pytest.raises(ParameterError, match=r"no parameter 'windw'. Did you mean 'window'"):
        typed(RUNBOOK, {"windw": "5"})


def test_all_faults_come_in_one_error():
    """Nobody likes to be told of one fault at a time."""
    with pytest.raises(ParameterError, match=r"nonsense.*window.*deep"):
        typed(RUNBOOK, {"nonsense": "1", "window": "no", "deep": "?"})


def test_a_value_that_is_not_json_is_refused():
    """Papermill would paste a path or a tuple as code."""
    for hostile in (Path('"+__import__("os").sep+"'), ("a",), b"a", {"a": 1}):
        with pytest.raises(ParameterError):
            typed(RUNBOOK, {"incident_id": hostile})


def test_a_default_that_is_not_plain_is_refused():
    """Also the author's defaults are pasted."""
    odd = runbook_of(Parameter(name="hosts", type="str", default=("a", "b")))

    with pytest.raises(ParameterError, match="'hosts' has a default"):
        typed(odd, {})


def test_an_unknown_declared_type_is_said():
    """A list cannot come from a command line."""
    odd = runbook_of(Parameter(name="hosts", type="list[str]", default="a"))

    with pytest.raises(ParameterError, match=r"declared as list\[str\]"):
        typed(odd, {"hosts": "b"})


names = st.sampled_from([parameter.name for parameter in DECLARED] + [HOSTILE]) | st.text()
anything = st.text() | st.sampled_from([HOSTILE, '"', "\\", '"""', "\n", "{x}", "'; import os"])


@settings(deadline=None)
@given(st.dictionaries(names, anything | st.none() | st.integers() | st.floats(), max_size=3))
def test_no_given_text_can_become_code(given_by_user):
    """What papermill makes of any accepted parameters is assignments of literals."""
    try:
        values = typed(RUNBOOK, given_by_user)
    except ParameterError:
        return
    assert set(values) == {parameter.name for parameter in DECLARED}
    lean_imports()
    from papermill.translators import PythonTranslator

    body = ast.parse(PythonTranslator.codify(values)).body
    assigned = {line.targets[0].id: ast.literal_eval(line.value) for line in body}
    assert assigned == values
