"""Imports of the notebook libraries without the parts that are slow and not used."""

import sys


def lean_imports() -> None:
    """Keep nbformat's import fast; call before nbformat, nbconvert, nbclient or papermill.

    JupyterLab brings ``rfc3987_syntax``, which builds a parser for two seconds when it is
    imported. jsonschema does without it: only its check of the ``iri`` format is lost.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
