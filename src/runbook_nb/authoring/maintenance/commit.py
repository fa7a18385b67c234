"""Which commit of the project something was done at."""

import subprocess
from pathlib import Path


def commit_of(folder: Path) -> str:
    """Return the short hash, and whether there are uncommitted changes; for people to read."""
    found = _git(folder, "rev-parse", "--short", "HEAD")
    if not found:
        return "no commit known"
    changed = _git(folder, "status", "--porcelain")
    return f"commit {found} with uncommitted changes" if changed else f"commit {found}"


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
