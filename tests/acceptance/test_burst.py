"""A small burst of alerts on services whose parts are killed; `burst.py` blows a large one."""

import subprocess
import sys
from pathlib import Path

import pytest

BURST = Path(__file__).with_name("burst.py")


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_nothing_is_lost_and_nothing_done_twice():
    """Two senders, three services, on machines of their own, and four kills at random."""
    words = ("--alerts", "60", "--fingerprints", "2", "--kills", "4", "--seconds", "4")
    done = subprocess.run(
        [sys.executable, BURST, *words], capture_output=True, text=True, check=False, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
