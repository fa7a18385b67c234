"""The environment variables that the engine reads, with what each is for."""

from typing import Final

# One that is handed to a kernel or a server by the command that starts it is not for people.
VARIABLES: Final = {
    "RUNBOOK_ACTOR": "A name for what no key signs; the user's by default. As `--as`.",
    "RUNBOOK_ATTENDED": (
        "`1` where a person can be asked, `0` where none can. Without it, a JupyterLab cell and a "
        "terminal may ask, and papermill, nbconvert and nbval may not."
    ),
    "RUNBOOK_CLAIM": (
        "The order that a run is of, its fence, and the attempt; set by the worker. Once another "
        "has taken it over, the run's lines are refused."
    ),
    "RUNBOOK_DEBUG": "`1` shows the whole traceback of what went wrong; else it is one sentence.",
    "RUNBOOK_ENVIRONMENTS__": (
        "The beginning of a setting's name: `RUNBOOK_ENVIRONMENTS__STAGING__AGENT__URL` is the "
        "setting `url` of the system `agent` in the environment `staging`."
    ),
    "RUNBOOK_INCIDENT": "The incident that a kernel works in; set by the command that starts it.",
    "RUNBOOK_INCIDENTS": "The folder of all incidents. As `--incidents`.",
    "RUNBOOK_LAB": "The folder of the lab; two labs with folders of their own do not meet.",
    "RUNBOOK_LAB_PACK": (
        "The pack whose lab is meant, where several have one; set by the command that starts it."
    ),
    "RUNBOOK_NOTEBOOK": "The notebook whose text a kernel runs; set by the command that starts it.",
    "RUNBOOK_NOTEBOOKS": "The folder of the runbooks, in the place of the project's.",
    "RUNBOOK_OPTION": "The option that was chosen beforehand; set by the command that starts it.",
    "RUNBOOK_PROJECT": "The project's folder, where it is not the one you are in or below.",
    "RUNBOOK_RUN": "The run that a kernel does; set by the command that starts it.",
    "RUNBOOK_SETTINGS": "A TOML file with more settings; they win over those of the project.",
    "RUNBOOK_SIGNING_KEY": "The file of the key that signs approvals and seals records.",
    "RUNBOOK_TEMPLATES": "The folder of the templates, in the place of the project's.",
}
