"""The command ``runbook``, for ``python -m runbook_nb``."""

from runbook_nb.cli import main

if __name__ == "__main__":
    main()
