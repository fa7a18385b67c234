"""The queue of jobs: how long they wait, who takes them, and one worker more.

The service is reached at the setting ``url`` of the system ``jobs``.
"""

from work_queue.systems.jobs.actions import start_worker
from work_queue.systems.jobs.probes import longest_wait, workers

__all__ = ["longest_wait", "start_worker", "workers"]
