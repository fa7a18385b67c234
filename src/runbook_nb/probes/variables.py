"""The variables of a kernel: what any program needs, what a run is told, what its settings name.

A kernel of staging holds no secret of production: what it has not got it cannot print or send.
"""

from collections.abc import Collection, Mapping
from typing import Final

from runbook_nb.probes.commands import PASSED
from runbook_nb.project import Project
from runbook_nb.redaction import names_secret
from runbook_nb.timeline.store.settings import variables_of

# What programs and libraries need on any machine: where things are, how words are written, and
# how the network is reached. None of them opens a system.
_COMMON: Final = frozenset(
    {
        *PASSED,
        *("USER", "LOGNAME", "SHELL", "TERM", "LANG", "LANGUAGE", "TZ", "TZDIR"),
        *("TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV", "HOSTNAME", "MPLBACKEND", "JPY_SESSION_NAME"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    }
)
_FAMILIES: Final = (
    *("LC_", "LD_", "DYLD_", "XDG_", "SSL_CERT_", "PYTHON", "CONDA_", "NSS_WRAPPER_"),
    *("IPYTHON", "JUPYTER_"),
)
_OWN: Final = "RUNBOOK_"
_SETTINGS: Final = "RUNBOOK_ENVIRONMENTS__"


def common_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what every program gets, whatever it is for."""
    return {name: text for name, text in environ.items() if _is_common(name)}


def kernel_variables(
    environ: Mapping[str, str], *, environment: str, named: Collection[str] = ()
) -> dict[str, str]:
    """Return what the kernel of a run in one environment gets.

    ``named`` are the variables that the settings of this environment refer to. What opens the store
    is among them where that has the timelines.
    """
    named = {*named, *variables_of(Project.find(environ=environ))}
    own = {
        name: text
        for name, text in environ.items()
        if name in named or (name.startswith(_OWN) and _is_of(name, environment))
    }
    return {**common_variables(environ), **own}


def _is_common(name: str) -> bool:
    return name in _COMMON or (name.startswith(_FAMILIES) and not names_secret(name))


def _is_of(name: str, environment: str) -> bool:
    """Tell a variable of ours from a setting of another environment."""
    setting = name.removeprefix(_SETTINGS)
    return setting == name or setting.partition("__")[0].casefold() == environment.casefold()
