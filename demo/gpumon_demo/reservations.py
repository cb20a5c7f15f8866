"""What is set aside: maintenance on Tuesday mornings, and a course that lasts through the week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpumon.model import Reservation
from gpumon_demo.workload import hostlist

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster

_WEEK = 7 * 86_400
_TUESDAY_SIX = 5 * 86_400 + 6 * 3600
"""Seconds from Thursday, 1 January 1970, to the first Tuesday at six."""
_COURSE_PARTITION = "l40s"


def reservations(cluster: Cluster) -> tuple[Reservation, ...]:
    """Those that are or will be."""
    start = _next_upkeep(cluster.moment)
    monday, friday = _course(cluster.moment)
    large = [host.name for host in cluster.by_name if host.machine.partition == "h100"]
    return (
        Reservation(
            "course-dl",
            "active" if cluster.moment < friday else "inactive",
            hostlist(_course_nodes(cluster)),
            "hwang,rossi",
            "SPEC_NODES",
            float(monday),
            float(friday),
            1.0,
        ),
        Reservation(
            "maintenance",
            "active" if start <= cluster.moment else "inactive",
            hostlist(large),
            "root",
            "MAINT,IGNORE_JOBS,SPEC_NODES",
            float(start),
            float(start + 4 * 3600),
            float(len(large)),
        ),
    )


def partition(reservation: Reservation) -> str:
    """The partition that a reservation is bound to; "" when to none."""
    return _COURSE_PARTITION if reservation.name == "course-dl" else ""


def reserved(cluster: Cluster) -> frozenset[str]:
    """The nodes that are kept for somebody now; during the maintenance jobs run on, so nothing is said of it."""
    _, friday = _course(cluster.moment)
    return frozenset(_course_nodes(cluster) if cluster.moment < friday else ())


def _next_upkeep(moment: int) -> int:
    """When the maintenance begins that is on, or the next one."""
    week = (moment - _TUESDAY_SIX - 4 * 3600) // _WEEK + 1
    return _TUESDAY_SIX + week * _WEEK


def _course(moment: int) -> tuple[int, int]:
    """Begin and end of this week's course."""
    monday = _next_upkeep(moment) - 22 * 3600
    monday -= _WEEK if moment < monday else 0
    return monday, monday + 5 * 86_400


def _course_nodes(cluster: Cluster) -> list[str]:
    return [host.name for host in cluster.by_name if host.machine.partition == _COURSE_PARTITION][:1]
