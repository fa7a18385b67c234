"""The package's public face and what importing it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import runbook_nb
from runbook_nb import errors

SOURCE = Path(runbook_nb.__file__).parent


def test_all_public_names_exist_and_are_sorted():
    """The list is the contract."""
    assert runbook_nb.__all__ == sorted(runbook_nb.__all__)
    for name in runbook_nb.__all__:
        assert getattr(runbook_nb, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    """As for any module."""
    with pytest.raises(AttributeError, match="no_such"):
        runbook_nb.no_such  # noqa: B018


def test_importing_the_package_loads_no_slow_library():
    """A command that only lists must start at once."""
    script = "import runbook_nb, sys; print(sorted(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True)

    for slow in ("psycopg", "httpx", "papermill", "nbformat", "pydantic", "IPython", "rich"):
        assert f"'{slow}'" not in loaded


def test_every_error_tells_what_went_wrong_in_its_docstring():
    """The docstring is the default message."""
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]

    for kind in kinds:
        assert str(kind()) == kind.__doc__
        assert kind.__name__ in errors.__doc__
        assert kind.exit_code == 3


def test_every_module_says_what_it_holds():
    """Its first line is a sentence."""
    for path in SOURCE.rglob("*.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert docstring, path
        assert docstring.splitlines()[0].endswith((".", ":")), path
