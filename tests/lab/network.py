"""The lab's network: 10.77.0.0/24, which exists in namespaces only, so nothing outside can be reached or harmed.

One namespace is nothing but a switch; the administrator's seat, the registry's and each node plug into it. No seat has
a default route, and the machine's own namespace has no route to the lab.
"""

from __future__ import annotations

from pathlib import Path

from lab.places import Places
from lab.shell import script

NET = "10.77.0"
SEATS = {"ctl": f"{NET}.1", "svc": f"{NET}.2"}
"""The administrator's seat, and that of the registry, the DNS and the package archive."""
FIRST_NODE = 10
"""The master's last number; node1 is the next."""
LARGEST = 200
"""Nodes at most."""

SWITCH = """
ip netns add $1
ip -n $1 link add lab0 type bridge
ip -n $1 link set lab0 up
nsenter --net=/run/netns/$1 sh -c 'echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables' 2>/dev/null || true
"""
SEAT = """
ip netns add $2
ip -n $2 link set lo up
ip -n $2 link add eth0 type veth peer name $3 netns $1
ip -n $1 link set $3 master lab0
ip -n $1 link set $3 up
ip -n $2 addr add $4/24 dev eth0
ip -n $2 link set eth0 up
"""


def address(number: int) -> str:
    """Of the master for 0, of node1 for 1 ..."""
    return f"{NET}.{FIRST_NODE + number}"


def port(seat: str) -> str:
    """The switch's end of a seat's or node's cable."""
    return f"p-{seat}"


def start(lab: Places) -> None:
    """Makes the switch and plugs the two seats in."""
    switch = lab.namespace("sw")
    script(SWITCH, switch)
    for seat, own in SEATS.items():
        script(SEAT, switch, lab.namespace(seat), port(seat), own)


def stop(lab: Places) -> None:
    """Removes what is there of it, which takes every cable along."""
    for seat in ("sw", *SEATS):
        if Path("/run/netns", lab.namespace(seat)).exists():
            script("ip netns del $1", lab.namespace(seat))


def plug(lab: Places, seat: str, *, is_in: bool) -> None:
    """Plugs a cable in or pulls it."""
    script("ip -n $1 link set $2 $3", lab.namespace("sw"), port(seat), "up" if is_in else "down")
