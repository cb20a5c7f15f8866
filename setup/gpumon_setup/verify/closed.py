"""Whether what should be for the master alone is shut for all others, tried from another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpumon_setup.host import Host
from gpumon_setup.verify.check import Check

TRY = """
command -v bash >/dev/null && command -v timeout >/dev/null || exit 127
address=$1; shift
for port; do
    timeout 4 bash -c 'exec 3<>/dev/tcp/$0/$1' "$address" "$port" 2>/dev/null && echo "$port" &
done
wait
"""
"""New connections, all at once: a firewall that drops answers none, and never looks at one that stands already."""


def closed(outsider: Host, address: str, ports: Mapping[str, int]) -> Iterator[Check]:
    """A new connection to each of these ports of the master fails."""
    tried = [str(port) for port in ports.values()]
    outcome = outsider.run(("sh", "-c", TRY, "sh", address, *tried), seconds=20.0, as_root=False)
    reached = outcome.text.split()
    for component, port in ports.items():
        claim = f"{component} is shut to other machines"
        if not outcome.is_success:
            yield Check(
                claim, outsider.name, "it cannot be tried: there is no bash", f"Try there: curl {address}:{port}."
            )
        elif str(port) in reached:
            problem = f"it reaches {address} port {port}, where {component} should listen on the loopback alone"
            yield Check(
                claim, outsider.name, problem, f"Somebody else listens or forwards there: ss -ltnp 'sport = {port}'."
            )
        else:
            yield Check(claim, outsider.name)
