"""The pack of a queue of jobs: its systems, and a lab to break on purpose."""

from collections.abc import Mapping

from runbook_nb import Lab, Pack


def _lab() -> Lab:
    from work_queue.lab.lab import QueueLab

    return QueueLab()


def _alerts() -> Mapping[str, str]:
    from work_queue.lab.alert import NAME, SUMMARY

    return {NAME: SUMMARY}


PACK = Pack(
    name="work_queue",
    about="A queue of jobs and its workers.",
    systems=("work_queue.systems",),
    lab=_lab,
    alerts=_alerts,
)
