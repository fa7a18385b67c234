"""What went wrong is said in a sentence, and what nobody expected is kept for its report."""

import stat
import tempfile
from pathlib import Path

from runbook_nb.cli.failure import failure_of
from runbook_nb.errors import SettingMissingError


def test_a_full_disk_is_said_in_a_sentence():
    """With the file that could not be written."""
    told = failure_of(OSError(28, "No space left on device", "/srv/incidents/INC-1"))

    assert (told.exit_code, told.kind) == (3, "OSError")
    assert "No space left on device: /srv/incidents/INC-1" in told.message


def test_a_bug_of_ours_is_kept_in_a_private_file_without_secrets():
    """Its report needs the traceback; a screen at night does not."""
    known = {"TRIAL_API_KEY": "zq7-correct-horse-battery"}
    try:
        raise ZeroDivisionError(known["TRIAL_API_KEY"])
    except ZeroDivisionError as error:
        told = failure_of(error, known)
    path = Path(told.message.rpartition(" ")[2])
    try:
        assert "correct-horse" not in told.message + path.read_text()
        assert "ZeroDivisionError" in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.parent == Path(tempfile.gettempdir())
    finally:
        path.unlink()


def test_an_error_of_ours_keeps_its_words():
    """They say what, where and what next."""
    told = failure_of(SettingMissingError("The setting 'url' of 'x' is missing. Add it."))

    assert told.message == "The setting 'url' of 'x' is missing. Add it."
