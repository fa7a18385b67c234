"""The notice board of the crew: what stands there is read on every screen of the hall.

Setting: ``url``.
"""

from parcel_hall.systems.board.actions import closed

__all__ = ["closed"]
