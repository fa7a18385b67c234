"""What every draft begins with: front matter, title, the parameters cell and the opening cell."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from runbook_nb.runbook.document import ENDS_COMMENT
from runbook_nb.runbook.parameters import Parameter

_PAIRING: Final = {
    "cell_metadata_filter": "tags,-all",
    "formats": "ipynb,md",
    "notebook_metadata_filter": (
        "kernelspec,runbook,jupytext,-jupytext.text_representation.jupytext_version"
    ),
    "text_representation": {
        "extension": ".md",
        "format_name": "markdown",
        "format_version": "1.3",
    },
}
_KERNEL: Final = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}
_HELP_ENVIRONMENT: Final = "the environment to look at"
_WIDEST: Final = 10_000  # no line of the front matter is folded, so that each value stays on one


def frame(front: dict[str, Any], parameters: Sequence[Parameter], *, imports: Sequence[str]) -> str:
    """Return the top of a runbook, down to the cell that opens the incident.

    ``front`` is its ``runbook`` entry, without the parameters' ranges; ``parameters`` are those
    beside ``incident_id`` and ``environment``; ``imports`` the lines of the opening cell.
    """
    ranges: dict[str, Any] = {"environment": {"help": _HELP_ENVIRONMENT}}
    for parameter in parameters:
        if parameter.low is not None:
            ranges[parameter.name] = {
                "min": parameter.low,
                "max": parameter.high,
                **({"unit": parameter.unit} if parameter.unit else {}),
            }
    return "\n".join(
        (
            *_front_matter({**front, "parameters": ranges}),
            "",
            f"# {front['title']} — Operational Procedure",
            "",
            '```python tags=["parameters"]',
            'incident_id: str = ""  # the incident this run belongs to, such as INC-2041',
            'environment: str = "lab"  # lab, or an environment from the settings',
            *(_declared(parameter) for parameter in parameters),
            "```",
            "",
            "```python",
            *imports,
            "",
            *_opening(front["name"], [parameter.name for parameter in parameters]),
            "```",
            "",
        )
    )


def _front_matter(front: dict[str, Any]) -> Iterator[str]:
    """Write it so that a forge hides it, where no text in it would end the comment."""
    hides = ENDS_COMMENT not in str(front)
    pairing = {**_PAIRING, **({"hide_notebook_metadata": True} if hides else {})}
    metadata = {"jupyter": {"jupytext": pairing, "kernelspec": _KERNEL, "runbook": front}}
    shown = yaml.safe_dump(metadata, allow_unicode=True, width=_WIDEST).rstrip("\n")
    yield from ("<!--", "") if hides else ()
    yield from ("---", shown, "---")
    yield from ("", ENDS_COMMENT) if hides else ()


def _declared(parameter: Parameter) -> str:
    default = '""' if parameter.default == "" else repr(parameter.default)
    return f"{parameter.name}: {parameter.type} = {default}  # {parameter.help}"


def _opening(name: str, parameters: Sequence[str]) -> list[str]:
    passed = [f'        "{parameter}": {parameter},' for parameter in parameters]
    return [
        "incident = Incident.open(",
        "    incident_id,",
        f'    runbook="{name}",',
        "    environment=environment,",
        *(["    parameters={", *passed, "    },"] if passed else []),
        ")",
    ]
