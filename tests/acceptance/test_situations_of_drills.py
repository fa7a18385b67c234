"""Every variation and look-alike that a drill names is diagnosed as it says.

They are many: a part of them is run with the drills, another one each day, all with
``-m situations``.
"""

from datetime import UTC, datetime

import pytest

from runbook_nb.authoring.drills import find_drills, run_situation
from runbook_nb.runbook.packs import find_lab

PARTS = 72
TODAY = datetime.now(UTC).date().toordinal() % PARTS
EVERY = [situation for drill in find_drills() for situation in drill.situations]
SITUATIONS = [
    pytest.param(
        situation,
        id=situation.name,
        marks=[
            pytest.mark.situations,
            *([pytest.mark.drills] if number % PARTS == TODAY else []),
        ],
    )
    for number, situation in enumerate(EVERY)
]


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_diagnosis_is_as_the_drill_says(situation):
    """The checks that fail and the option are those that it names; nothing is done."""
    result = run_situation(situation, lab=find_lab())

    assert result.problem == "", result.found
