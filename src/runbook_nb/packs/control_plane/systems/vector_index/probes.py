"""What is read of the library's index."""

from runbook_nb.packs.control_plane.systems.vector_index._catalogue import (
    indexes,
    leftovers,
    search_index,
    state_word,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="")
def state(systems: Systems) -> Reading:
    """Tell how the index of the search stands: ``ready``, or what is wrong with it.

    Words: ``missing``, ``invalid``, ``building``, ``ivfflat, not hnsw``, ``made for OPERATORS``:
    the search compares cosines, and an index for another distance is never used for it.
    """
    found = indexes(systems.database())
    return Reading(value=state_word(search_index(found)), detail=found)


@probe(unit="indexes")
def left_over(systems: Systems) -> Reading:
    """Count invalid indexes that a broken build left; one that is being built is none.

    They answer nothing, and every new vector is written into them all the same.
    """
    found = indexes(systems.database())
    return Reading(value=len(leftovers(found)), detail=found)
