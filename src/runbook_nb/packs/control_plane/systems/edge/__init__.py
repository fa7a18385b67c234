"""The edge in front of the user interface, through Caddy's admin API.

Source of the fields: Caddy's JSON configuration, ``reverse_proxy`` handler: ``response_buffers``
holds a response back, ``flush_interval`` of -1 sends each piece at once.
"""

from runbook_nb.packs.control_plane.systems.edge.actions import (
    stop_buffering,
)

__all__ = ["stop_buffering"]
