#!/usr/bin/env python3
"""hallctl: tells the machines of a hall. The lab puts it into its own folder as a command."""

import argparse
import json
import os
from pathlib import Path
from typing import Any


def scanners(folder: Path) -> list[dict[str, Any]]:
    """Return each scanner; one whose process is there is Running, whatever it does."""
    try:
        pid = json.loads((folder / "scanner.json").read_text())["pid"]
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        phase = "Stopped"
    else:
        phase = "Running"
    return [{"metadata": {"name": "scanner-1"}, "status": {"phase": phase}}]


def main() -> None:
    """Read the words and answer."""
    parser = argparse.ArgumentParser(prog="hallctl")
    parser.add_argument("verb", choices=["get"])
    parser.add_argument("kind", choices=["scanners"])
    parser.add_argument("--output", choices=["json"], required=True)
    parser.parse_args()
    print(json.dumps({"kind": "List", "items": scanners(Path(__file__).parents[1])}))


if __name__ == "__main__":
    main()
