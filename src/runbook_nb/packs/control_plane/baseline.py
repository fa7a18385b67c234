"""What a team's baseline of this platform may hold."""

from typing import Final

from runbook_nb.packs.control_plane.systems._database.jobs import JOBS
from runbook_nb.packs.control_plane.systems.grants._grants import BYPASSING_ROLES, GRANTS
from runbook_nb.packs.control_plane.systems.helper_functions._definitions import HELPER_FUNCTIONS
from runbook_nb.packs.control_plane.systems.policies._policies import POLICIES, ROW_SECURITY

PARTS: Final = (POLICIES, ROW_SECURITY, HELPER_FUNCTIONS, GRANTS, BYPASSING_ROLES, JOBS)
