"""Drills as they are written: which fault, which runbook, and what its run must find.

A drill is an experiment of Chaos Toolkit in the folder ``drills`` beside the runbooks, one file for
each runbook and fault, named ``<runbook>.<fault>.json``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final

CONTROL: Final = "none"  # stands for no fault: the run must find nothing
FOLDER: Final = "drills"


class SituationKind(StrEnum):
    """How a situation stands to a fault: it is the fault in another way, or it only looks so."""

    VARIATION = "variation"
    LOOK_ALIKE = "look-alike"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A fault that a drill names beside its own, and what the diagnosis must find in it.

    ``expect`` holds the check titles that are ``failed``, ``warned`` and ``unknown``, and the
    ``option``.
    """

    runbook: str
    fault: str
    kind: SituationKind
    expect: Mapping[str, Any]
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The situation's name: runbook and fault."""
        return f"{self.runbook}.{self.fault}"


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One experiment: its runbook and fault as its file is named, and what the file says.

    A file that cannot be read says nothing; ``problem`` tells why.
    """

    runbook: str
    fault: str
    path: Path

    @classmethod
    def at(cls, path: Path) -> "Drill":
        """Return the drill of a file, which is read when something of it is asked for."""
        runbook, _, fault = path.stem.partition(".")
        return cls(runbook=runbook, fault=fault, path=path)

    @property
    def name(self) -> str:
        """The drill's name: runbook and fault."""
        return f"{self.runbook}.{self.fault}"

    @property
    def is_control(self) -> bool:
        """Whether nothing is injected in it."""
        return self.fault == CONTROL

    @property
    def text(self) -> str:
        """The file as it is written; empty where it cannot be read."""
        return self._read[0]

    @property
    def experiment(self) -> Mapping[str, Any]:
        """What Chaos Toolkit reads; empty where it cannot be read."""
        return self._read[1]

    @property
    def problem(self) -> str:
        """Why the file cannot be read; empty if it can."""
        return self._read[2]

    @property
    def runs(self) -> list[Mapping[str, Any]]:
        """The arguments of each step that runs a runbook."""
        return [
            _mapping(provider.get("arguments"))
            for provider in self._providers("method")
            if provider.get("func") == "run_runbook"
        ]

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the first step that runs a runbook; empty where there is none."""
        return next(iter(self.runs), {})

    @property
    def expectation(self) -> Mapping[str, Any]:
        """What the run of the runbook must find; empty if the drill says nothing."""
        return _mapping(self.arguments.get("expect"))

    @property
    def situations(self) -> list[Situation]:
        """The variations and look-alikes that it names in its extension ``runbook``.

        What a variation does not say is expected as in the drill; of a look-alike nothing is.
        """
        whole: dict[str, Any] = {
            key: self.expectation.get(key, []) for key in ("failed", "warned", "unknown")
        }
        whole["option"] = self.expectation.get("option")
        nothing: dict[str, Any] = {"failed": [], "warned": [], "unknown": [], "option": None}
        return [
            *self._situations("variations", SituationKind.VARIATION, whole),
            *self._situations("look_alikes", SituationKind.LOOK_ALIKE, nothing),
        ]

    @property
    def also(self) -> Mapping[str, str]:
        """Other runbooks that may answer its fault with an action, and the option of each."""
        return {
            runbook: str(option)
            for extension in self._extensions()
            for runbook, option in _mapping(extension.get("also")).items()
        }

    @property
    def injected(self) -> list[str]:
        """The faults that it injects."""
        return self._faults("method", "inject")

    @property
    def healed(self) -> list[str]:
        """The faults that it heals whatever happens; a rollback that may be left out heals none."""
        always = _mapping(_mapping(self.experiment.get("runtime")).get("rollbacks"))
        return self._faults("rollbacks", "heal") if always.get("strategy") == "always" else []

    def line_of(self, word: object) -> int:
        """Return the first line that holds a word in quotes; 1 if none does."""
        place = self.text.find(json.dumps(word, ensure_ascii=False))
        return self.text.count("\n", 0, max(place, 0)) + 1

    @cached_property
    def _read(self) -> tuple[str, Mapping[str, Any], str]:
        try:
            text = self.path.read_text(encoding="utf-8")
            said = json.loads(text)
        except (OSError, ValueError, RecursionError) as error:
            return "", {}, str(error)
        return (text, said, "") if isinstance(said, dict) else (text, {}, "it is no JSON object")

    def _situations(
        self, key: str, kind: SituationKind, usual: Mapping[str, Any]
    ) -> Iterator[Situation]:
        for extension in self._extensions():
            for said in map(_mapping, _list(extension.get(key))):
                given = self.arguments.get("parameters")
                yield Situation(
                    runbook=self.runbook,
                    fault=str(said.get("fault")),
                    kind=kind,
                    expect={**usual, **_mapping(said.get("expect"))},
                    parameters={**_mapping(given), **_mapping(said.get("parameters"))},
                )

    def _extensions(self) -> Iterator[Mapping[str, Any]]:
        for extension in map(_mapping, _list(self.experiment.get("extensions"))):
            if extension.get("name") == "runbook":
                yield extension

    def _faults(self, part: str, function: str) -> list[str]:
        return [
            str(_mapping(provider.get("arguments")).get("fault"))
            for provider in self._providers(part)
            if provider.get("func") == function
        ]

    def _providers(self, part: str) -> Iterator[Mapping[str, Any]]:
        for step in _list(self.experiment.get(part)):
            yield _mapping(_mapping(step).get("provider"))


def drills_in(folder: Path) -> list[Drill]:
    """Return the drills beside the runbooks of a folder, by name."""
    return [Drill.at(path) for path in sorted((folder / FOLDER).glob("*.json"))]


def drill_path(folder: Path, runbook: str, fault: str) -> Path:
    """Return where a drill beside the runbooks of a folder stands."""
    return folder / FOLDER / f"{runbook}.{fault}.json"


def formatted_drill(text: str) -> str:
    """Return a drill as all are written; raises ValueError for what is no JSON."""
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
