"""The machines of the hall, as the command `hallctl` tells them.

Setting: ``program``, the path of `hallctl`.
"""

from parcel_hall.systems.fleet.probes import scanners_running

__all__ = ["scanners_running"]
