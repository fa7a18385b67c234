"""The pack of a hall that sorts parcels: its systems, its alerts, its channel and its lab."""

from collections.abc import Mapping

from runbook_nb import Action, Lab, Pack


def _lab() -> Lab:
    from parcel_hall.lab.lab import HallLab

    return HallLab()


def _alerts() -> Mapping[str, str]:
    from parcel_hall.alerts import ALERTS

    return {alert.name: alert.summary for alert in ALERTS}


def _announce(incident: str, text: str) -> Action:
    from parcel_hall.systems import board

    return board.closed(incident=incident, text=text)


PACK = Pack(
    name="parcel_hall",
    about="The sorting of parcels: scanners, chutes and the notice board of the crew.",
    systems=("parcel_hall.systems",),
    lab=_lab,
    alerts=_alerts,
    announce=_announce,
    first_drill="parcels_pile_up.chute_closed",
)
