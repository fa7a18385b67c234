"""The early end of a run, with meaning."""


class RunStopped(Exception):  # noqa: N818 - it is not an error: the runbook ended, with meaning
    """The runbook ended early and says why."""

    def _render_traceback_(self) -> list[str]:
        """Show one line in the notebook instead of a traceback."""
        return [f"Stopped: {self}"]
