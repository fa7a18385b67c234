"""The names that a runbook's cells see, made without a kernel: imports, parameters, given names."""

import ast
from collections.abc import Mapping
from typing import Any

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.executable import demand_verbs_only
from runbook_nb.runbook.packs import load_name
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.step_call import value_of
from runbook_nb.text.values import Json


def names_of(runbook: Runbook, values: Mapping[str, Json]) -> dict[str, Any]:
    """Return the names of a runbook with these parameters; packs are imported, nothing else runs.

    Raises RunbookFormatError for a text that holds more than verbs, and for a pack or a name in it
    that is not there.
    """
    document = Document.read(runbook.path)
    demand_verbs_only(document)
    names: dict[str, Any] = dict(values)
    for cell in document.own_cells:
        for statement in cell.statements if cell.is_code else ():
            if isinstance(statement, ast.ImportFrom):
                names |= _imported(statement, runbook)
            elif isinstance(statement, ast.Assign) and "parameters" not in cell.tags:
                names |= _given(statement, names)
    return names


def _imported(statement: ast.ImportFrom, runbook: Runbook) -> dict[str, object]:
    module = statement.module or ""
    found = {}
    for alias in statement.names:
        try:
            found[alias.asname or alias.name] = load_name(module, alias.name)
        except Exception as error:
            message = (
                f"{runbook.name} imports {alias.name} from {module}, and that fails: {error}. "
                "Install the pack, or mend it."
            )
            raise RunbookFormatError(message) from error
    return found


def _given(statement: ast.Assign, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that are given to a probe or an action beside the opening."""
    targets = [target.id for target in statement.targets if isinstance(target, ast.Name)]
    try:
        return dict.fromkeys(targets, value_of(statement.value, names))
    except (RunbookFormatError, AttributeError, TypeError):
        # The opening itself, or what is said where a step that uses the name is planned.
        return {}
