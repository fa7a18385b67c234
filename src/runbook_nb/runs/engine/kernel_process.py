"""A kernel that waits for its run: what every run imports is there, and nothing of a run is.

It runs as a script, and takes environment, folder and arguments from its input once, as JSON. The
end of the input without them means that the runner is gone, and the kernel with it.
"""

import sys

if __name__ == "__main__":
    # A script's own folder comes first; a kernel has none of that.
    del sys.path[0]

import importlib
import json
import os

# What takes long to import and reads no variable of a run while it is imported.
_EARLY = ("ipykernel.kernelapp", "runbook_nb.incident", "httpx", "psycopg")


def main() -> None:
    """Import, wait, become the kernel of the run that was handed over."""
    for name in _EARLY:
        importlib.import_module(name)
    handed = sys.stdin.buffer.read()
    if not handed:
        return
    run = json.loads(handed)
    os.environ.clear()
    os.environ.update(run["environ"])
    os.chdir(run["folder"])
    sys.argv[:] = run["arguments"]
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


if __name__ == "__main__":
    main()
