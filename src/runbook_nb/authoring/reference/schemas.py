"""JSON Schemas of what is written: made of the types that write it, and shipped as files.

``$id`` carries a version; it is raised where a reader of the old form would misread the new one.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from runbook_nb.authoring.reference.files import DrillFile, FrontMatter
from runbook_nb.authoring.reference.topic import documented
from runbook_nb.errors import ParameterError, near
from runbook_nb.record.facts.record import Record
from runbook_nb.service.orders import KeptOrder
from runbook_nb.timeline.events import EVENTS

FOLDER: Final = Path(__file__).with_name("schemas")
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_DIGEST: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def schema(name: str) -> dict[str, Any]:
    """Return a schema as it is shipped; raises ParameterError with the names there are."""
    if name not in SCHEMAS:
        message = f"No schema {name!r}. {near(name, SCHEMAS)}"
        raise ParameterError(message)
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def made(name: str) -> dict[str, Any]:
    """Return a schema as the types say it today."""
    version, title, make = SCHEMAS[name]
    head = {"$schema": _DRAFT, "$id": f"urn:runbook-nb:{name}:{version}", "title": title}
    return {**head, **{key: value for key, value in make().items() if key != "title"}}


def write_schemas(folder: Path = FOLDER) -> list[Path]:
    """Write all schemas as they are today; return the files."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{name}.json" for name in SCHEMAS]
    for path in paths:
        text = json.dumps(made(path.stem), indent=2, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
    return paths


def _front_matter() -> dict[str, Any]:
    return FrontMatter.model_json_schema()


def _drill() -> dict[str, Any]:
    return DrillFile.model_json_schema()


def _event() -> dict[str, Any]:
    """Return the schema of one line of a timeline: one form for each kind."""
    from pydantic import TypeAdapter

    forms, definitions = [], {}
    for kind in EVENTS:
        form = TypeAdapter(kind).json_schema(ref_template="#/$defs/{model}")
        definitions.update(form.pop("$defs", {}))
        properties = {
            "kind": {"const": kind.kind},
            "seq": {"type": "integer", "minimum": 1, "description": "Its number, from 1."},
            "prev": {**_DIGEST, "description": "The hash of the line before."},
            "hash": {**_DIGEST, "description": "SHA-256 over the line without it, by RFC 8785."},
            **form["properties"],
        }
        form["required"] = sorted({*form.get("required", ()), "kind", "seq", "prev", "hash"})
        definitions[kind.__name__] = {
            **form,
            "description": documented(kind),
            "properties": properties,
        }
        forms.append({"$ref": f"#/$defs/{kind.__name__}"})
    return {"oneOf": forms, "$defs": dict(sorted(definitions.items()))}


def _record() -> dict[str, Any]:
    """Return the schema of ``record.json``: the facts, and how they were made."""
    from pydantic import TypeAdapter

    facts = TypeAdapter(Record).json_schema(mode="serialization")
    definitions = facts.pop("$defs")
    # What is derived of the facts stands beside them, so that a reader need not fold anew.
    facts["properties"]["verdict"] = {"$ref": "#/$defs/Verdict"}
    derived = {"ActionFacts": ("said", "string"), "Resolution": ("fixed", "boolean")}
    for name, (key, kind) in derived.items():
        definitions[name]["properties"][key] = {"type": kind}
    plain = {"type": "object"}
    return {
        "type": "object",
        "description": documented(Record),
        "properties": {
            "record": {"$ref": "#/$defs/Record"},
            "made_by": {"type": "string", "description": "Program, version, digest of its code."},
            "sealed_by": {"type": "string", "description": "The key of the seal; empty without."},
            "reseals": {"type": "array", "items": plain},
            "redaction": {**plain, "description": "What was masked, and what was looked for."},
            "similar": {"type": "array", "items": plain},
        },
        "required": ["made_by", "record", "redaction", "reseals", "sealed_by", "similar"],
        "$defs": {**definitions, "Record": facts},
    }


def _order() -> dict[str, Any]:
    """Return the schema of an order, as ``runbook queue --json`` lists it."""
    from pydantic import TypeAdapter

    order = TypeAdapter(KeptOrder).json_schema(mode="serialization")
    return {**order, "description": documented(KeptOrder)}


# Each with the version of its form.
SCHEMAS: Final[dict[str, tuple[int, str, Callable[[], dict[str, Any]]]]] = {
    "front-matter": (1, "The front matter of a runbook", _front_matter),
    "drill": (1, "A drill", _drill),
    "event": (1, "One line of timeline.jsonl", _event),
    "record": (1, "record.json", _record),
    "order": (1, "An order of the service", _order),
}


if __name__ == "__main__":
    write_schemas()
