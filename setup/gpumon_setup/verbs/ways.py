"""Whether the master reaches the machines that are new to it: Prometheus could not scrape them otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from gpumon_setup.facts import Facts
from gpumon_setup.host import Host

WAYS = """
command -v bash >/dev/null && command -v timeout >/dev/null || exit 127
while [ $# -gt 1 ]; do
    {
        said=$(timeout 4 bash -c 'exec 3<>/dev/tcp/$0/$1' "$1" "$2" 2>&1)
        case $?:$said in
            0:* | *refused*) ;;
            124:*) echo "$1 port $2 no answer within 4 s" ;;
            *) echo "$1 port $2 ${said##*: }" ;;
        esac
    } &
    shift 2
done
wait
"""
"""Its words: address and port of each. Who refuses a connection is reached too."""
_SSH = 22


def lost_ways(master: Host, ends: Mapping[str, tuple[str, int]]) -> dict[str, str]:
    """Why the master does not reach some machines at address and port, by name; none where it cannot be tried.

    Raises:
        HostError: the master cannot be asked.
    """
    words = [word for address, port in ends.values() for word in (address, str(port))]
    outcome = master.run(("sh", "-c", WAYS, "sh", *words), seconds=20.0, as_root=False)
    told = {tuple(line.split()[:3]): line for line in outcome.text.splitlines()} if outcome.is_success else {}
    lost = {name: told.get((address, "port", str(port)), "") for name, (address, port) in ends.items()}
    return {name: line for name, line in lost.items() if line}


def open_port(facts: Facts) -> int:
    """Where a machine surely listens: its sshd brought us there."""
    return next((one.port for one in facts.ports if one.program.startswith("sshd")), _SSH)
