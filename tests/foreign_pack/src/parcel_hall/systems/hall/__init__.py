"""The hall's service: parcels on the belt and chutes, told at `/metrics` and `/chutes`.

Settings: ``url``, and ``token`` by reference, which opens the panel.
"""

from parcel_hall.systems.hall.actions import open_chutes
from parcel_hall.systems.hall.probes import longest_round, unscanned

__all__ = ["longest_round", "open_chutes", "unscanned"]
