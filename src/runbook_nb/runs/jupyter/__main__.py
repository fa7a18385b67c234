"""Start JupyterLab for responders: ``python -m runbook_nb.runs.jupyter INCIDENTS [PAGE]``."""

from runbook_nb.runbook.lean import lean_imports


def main() -> None:
    """Serve the folder of incidents until stopped."""
    lean_imports()
    from runbook_nb.runs.jupyter.application import serve

    serve()


if __name__ == "__main__":
    main()
