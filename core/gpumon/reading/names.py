"""One name for each node, whatever each exporter calls it.

`server-a:9100`, `server-a`, `server-a.lab.example` and `Hostname="server-a"` are one node. A node is named by the
`node` label that gpumon's setup writes; else by `Hostname` or `hostname` when that is not a container's id; else by
`instance` without its port, where an address or "localhost" gives way to the name node_exporter reports for it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

_CONTAINER = re.compile(r"[0-9a-f]{12}|[0-9a-f]{64}|(.*-)?dcgm-exporter-([0-9a-f]{6,10}-)?[a-z0-9]{5}")
"""Docker's short and long ids, and the pod names Kubernetes makes for dcgm-exporter."""


_ADDRESS_LIKE = re.compile(r"[0-9a-fA-F.:]+(%.*)?")
"""Every IP address, and some names; it spares the real parser most names."""


def host_of(instance: str) -> str:
    """An instance label without scheme, path and port: "http://[::1]:9100/x" -> "::1", "gpu01:9400" -> "gpu01"."""
    host = instance.split("://", 1)[-1].split("/", 1)[0]
    if host.startswith("["):
        return host[1:].split("]", 1)[0]
    return host.rsplit(":", 1)[0] if host.count(":") == 1 else host


def is_container_id(hostname: str) -> bool:
    """True for a name that a container runtime made up: it names no node."""
    return _CONTAINER.fullmatch(hostname) is not None


def is_address(host: str) -> bool:
    """True for an IP address, and for "localhost", which names every machine."""
    if host in {"localhost", "localhost.localdomain", "ip6-localhost"}:
        return True
    if not _ADDRESS_LIKE.fullmatch(host):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class NodeNames:
    """Turns what exporters call a node into the name Slurm uses for it."""

    def __init__(self, slurm: Iterable[str] = (), reported: Mapping[str, str] | None = None) -> None:
        """`slurm`: Slurm's names; `reported`: for the host part of an instance, what its machine calls itself."""
        self._reported = dict(reported or {})
        self._known: dict[str, str] = {}
        self._domains: dict[str, str] = {}
        self._spellings: dict[str, set[str]] = {}
        self._found: dict[tuple[str, str, str], str] = {}
        for name in slurm:
            self.name(name)

    def of(self, *, node: str = "", hostname: str = "", instance: str = "") -> str:
        """The node that these labels speak of; "" when none names one."""
        labels = (node, hostname, instance)
        found = self._found.get(labels)
        if found is None:
            found = self._found[labels] = self._of(*labels)
        return found

    def _of(self, node: str, hostname: str, instance: str) -> str:
        if node:
            return self.name(node)
        if hostname and not is_container_id(hostname) and not is_address(hostname):
            return self.name(hostname)
        host = host_of(instance)
        if is_address(host):
            host = self._reported.get(host, host)
        return self.name(host) if host else ""

    def name(self, spelling: str) -> str:
        """The one name for this spelling of a node's name: short, in the case first seen, which is Slurm's."""
        found = self._known.get(spelling)
        if found is not None:
            return found
        found = self._resolve(spelling)
        self._known[spelling] = found
        self._spellings.setdefault(found, set()).add(spelling)
        return found

    def _resolve(self, spelling: str) -> str:
        bare = spelling.strip().rstrip(".")
        if is_address(bare) or not bare:
            return bare
        short, _, domain = bare.partition(".")
        if not short:
            return bare
        folded = short.lower()
        if domain and self._domains.setdefault(folded, domain.lower()) != domain.lower():
            return bare  # another machine of the same short name in another domain
        return self._known.setdefault("\0" + folded, short)

    @property
    def spellings(self) -> Mapping[str, frozenset[str]]:
        """For each node, every spelling met so far."""
        return {name: frozenset(found) for name, found in self._spellings.items()}
