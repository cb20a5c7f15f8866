"""Whether what should be for the master alone is shut for all others, tried from another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpumon_setup.host import Host
from gpumon_setup.verify.check import Check

TRY = 'timeout 4 bash -c \'exec 3<>/dev/tcp/$0/$1\' "$1" "$2"'
"""A new connection: one that stands already is never looked at by a firewall."""
_NO_BASH = (126, 127)


def closed(outsider: Host, address: str, ports: Mapping[str, int]) -> Iterator[Check]:
    """A new connection to each of these ports of the master fails."""
    for component, port in ports.items():
        claim = f"{component} is shut to other machines"
        outcome = outsider.run(("sh", "-c", TRY, "sh", address, str(port)), seconds=20.0, as_root=False)
        if outcome.exit_code in _NO_BASH:
            yield Check(
                claim, outsider.name, "it cannot be tried: there is no bash", f"Try there: curl {address}:{port}."
            )
        elif outcome.is_success:
            problem = f"it reaches {address} port {port}, where {component} should listen on the loopback alone"
            yield Check(
                claim, outsider.name, problem, f"Somebody else listens or forwards there: ss -ltnp 'sport = {port}'."
            )
        else:
            yield Check(claim, outsider.name)
