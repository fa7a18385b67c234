"""The files that people write, as models: the front matter of a page, and what a drill names."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class ParameterRange(BaseModel):
    """What a parameter of the parameters cell may be, and what it is for."""

    model_config = ConfigDict(extra="forbid")

    help: str = Field(default="", description="What it is for, where its line does not say it.")
    min: float | None = Field(default=None, description="The least value that is taken.")
    max: float | None = Field(default=None, description="The greatest value that is taken.")
    unit: str = Field(default="", description="The unit, such as `s`.")


class ValidationRow(BaseModel):
    """One row of the Validation Log; `runbook validate` writes it, nobody else."""

    date: Day = Field(description="The day, in UTC.")
    environment: str = Field(description="Where it was drilled.")
    notes: str = Field(description="Which drills passed, in how many seconds, on which commit.")
    result: str = Field(description="`passed`.")
    validator: str = Field(description="Who answers for it.")


class FirstOption(BaseModel):
    """An option that goes before all others when a check of its own failed."""

    model_config = ConfigDict(extra="forbid")

    option: str = Field(description="Its letter.")
    because: str = Field(description="The harm that goes on meanwhile, in a few words.")


class RankingRows(BaseModel):
    """What the checks alone do not say of the order of the options."""

    model_config = ConfigDict(extra="forbid")

    first: list[FirstOption] = Field(
        default_factory=list, description="Options by harm, the worst first."
    )
    shared: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Titles of checks that other causes fail as well, with the letters of those.",
    )


class FrontMatter(BaseModel):
    """The entry `runbook` of a page's front matter, under `jupyter`."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(description="The name of the file.")
    title: str = Field(description="The title, without *Operational Procedure*.")
    scenario: str = Field(description="The failure in one sentence; `list` finds it by its words.")
    severity: str = Field(description="A severity of organisation.toml.")
    group: str = Field(default="", description="A group of organisation.toml.")
    owner: str = Field(description="Who keeps it; a name of contacts.toml.")
    last_updated: Day = Field(description="The day of the last edit that changes a step.")
    last_validated: Day | Literal[""] = Field(
        default="",
        description="The day of the last row of the log; `runbook validate` writes it.",
    )
    alerts: list[str] = Field(description="The names of the alerts that lead here.")
    escalation: list[str] = Field(description="Who is called, in their order.")
    related: list[str] = Field(description="Runbooks to look at where this one finds nothing.")
    ranking: RankingRows = Field(
        default_factory=RankingRows, description="How options are ranked, beside their checks."
    )
    parameters: dict[str, ParameterRange] = Field(
        default_factory=dict, description="By the names of the parameters cell."
    )
    validations: list[ValidationRow] = Field(description="The Validation Log, oldest first.")


class Expectation(BaseModel):
    """What a run of a drill must find and do, no more and no less."""

    model_config = ConfigDict(extra="forbid")

    failed: list[str] = Field(default_factory=list, description="Titles of checks that fail.")
    warned: list[str] = Field(default_factory=list, description="Titles of checks that warn.")
    unknown: list[str] = Field(
        default_factory=list, description="Titles of checks that cannot be read."
    )
    option: str | None = Field(default=None, description="The option that is chosen, or null.")
    done: list[str] = Field(default_factory=list, description="Titles of actions that are done.")
    resolved: bool = Field(default=False, description="Whether every verification holds.")


class SituationOfDrill(BaseModel):
    """A variation or a look-alike: a fault of the lab, and what a diagnosis finds in it."""

    model_config = ConfigDict(extra="forbid")

    fault: str = Field(description="A fault of the lab.")
    expect: Expectation = Field(
        default_factory=Expectation, description="What differs from the drill; see *variations*."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Parameters beside those of the drill."
    )


class DrillExtension(BaseModel):
    """The extension `runbook` of a drill, which is an experiment of Chaos Toolkit."""

    name: str = Field(description="`runbook`; extensions of other names are passed over.")
    variations: list[SituationOfDrill] = Field(
        default_factory=list,
        description="The drill's fault in other shapes; what one leaves out is as in the drill.",
    )
    look_alikes: list[SituationOfDrill] = Field(
        default_factory=list,
        description="What looks like it and is legitimate; nothing is expected by default.",
    )
    also: dict[str, str] = Field(
        default_factory=dict,
        description="Other runbooks that mend the same fault as rightly, and by which option.",
    )


class DrillFile(BaseModel):
    """A drill: `<runbook>.<fault>.json`, an experiment of Chaos Toolkit with steps of ours."""

    model_config = ConfigDict(extra="allow")

    title: str = Field(description="What is broken.")
    description: str = Field(description="What a reader sees of it.")
    tags: list[str] = Field(default_factory=list, description="`runbook:NAME` and `fault:NAME`.")
    method: list[dict[str, Any]] = Field(
        description=(
            "`inject`, `wait_for_alert`, `run_runbook` (with `approve` and `expect`), `heal`: the "
            "functions of `runbook_nb.authoring.drills.steps`."
        )
    )
    rollbacks: list[dict[str, Any]] = Field(
        default_factory=list, description="`heal` for each fault, whatever happens."
    )
    extensions: list[DrillExtension] = Field(
        default_factory=list, description="Variations and look-alikes."
    )
