"""All checks, again and again until they hold or time is up: a first scrape takes its interval."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gpumon_setup.components import Place, Site, grafana_settings, job_map
from gpumon_setup.components.component import at
from gpumon_setup.components.grafana_files import PASSWORD
from gpumon_setup.components.prometheus import reached
from gpumon_setup.components.scraping import scrape_seconds
from gpumon_setup.host import Host
from gpumon_setup.inventory import Role
from gpumon_setup.verify import scraped
from gpumon_setup.verify.check import Check
from gpumon_setup.verify.closed import closed
from gpumon_setup.verify.expected import expected
from gpumon_setup.verify.grafana import grafana

_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class Verifier:
    """What is to be checked, and by whom."""

    site: Site
    names: Sequence[str]
    """The machines that it is about."""
    master: Host
    outsider: Host | None
    """A machine that is not the master; None when there is none to ask."""
    pause: Callable[[float], None] = time.sleep
    since: Mapping[str, float] = field(default_factory=dict[str, float])
    """Machines that were changed, and when, by the master's clock: what was scraped before says nothing."""

    def until_well(self, patience: float) -> tuple[Check, ...]:
        """Looks until all is well, at most for `patience` seconds; raises HostError when the master is gone."""
        deadline = time.monotonic() + patience
        while True:
            checks = tuple(self.look())
            if all(check.is_ok or check.is_settled for check in checks) or time.monotonic() > deadline:
                return checks
            self.pause(_PAUSE_SECONDS)

    @property
    def interval(self) -> float:
        """How often everything is scraped, in seconds."""
        return scrape_seconds(self.site)

    def look(self) -> Iterator[Check]:
        """Every check, once."""
        place = self._master_place()
        without = self.site.inventory.without
        if "prometheus" not in without:
            yield from self._prometheus(reached(place))
        if "grafana" not in without:
            address, port = grafana_settings.listening(place)
            yield from grafana(self.master, at(address or "127.0.0.1", port), PASSWORD)
        if job_map.is_wanted(place):
            yield from self._called()
        shut = {name: port for name, port in self._loopback_ports(place) if name not in without}
        if self.outsider is not None and shut:
            yield from closed(self.outsider, place.address, shut)

    def _prometheus(self, address: str) -> Iterator[Check]:
        # Here, since a run that finds nothing to do asks nobody and should not wait for its libraries.
        from gpumon_setup.verify.prometheus import MasterPrometheus, Unanswered

        wanted = tuple(expected(self.site, self.names))
        prometheus = MasterPrometheus(self.master, address)
        try:
            yield from scraped.targets(prometheus, self.site, wanted, self.since)
            yield from scraped.series(prometheus, self.site, wanted)
            yield from scraped.gpu_counts(prometheus, self.site, wanted)
            yield from scraped.slurm(prometheus, wanted)
            yield from scraped.rules(prometheus, self.master.name)
        except Unanswered as reason:
            advice = "docker ps; docker logs gpumon-prometheus. Not deployed yet: gpumon setup."
            yield Check("Prometheus answers", self.master.name, str(reason), advice)
        else:
            yield Check("Prometheus answers", self.master.name)
        finally:
            prometheus.close()

    def _called(self) -> Iterator[Check]:
        """Slurm runs what fills the job map; where slurmctld runs was not looked at, nothing is said."""
        controllers = [machine.name for machine in self.site.inventory.machines if Role.CONTROLLER in machine.roles]
        for name in controllers:
            if name in self.site.facts:
                problem, advice = job_map.complaint(self.site)
                yield Check("Slurm runs the job map", name, problem, advice, is_settled=True)

    def _master_place(self) -> Place:
        machine = self.site.inventory.master
        return Place(machine, self.site.facts[machine.name], self.site)

    def _loopback_ports(self, place: Place) -> Iterator[tuple[str, int]]:
        """What should be reached from the master alone."""
        address, _, port = reached(place).rpartition(":")
        if place.option("prometheus", "listen") != "" and _is_loopback(address):
            yield "prometheus", int(port)
        where, grafana_port = grafana_settings.listening(place)
        if where and _is_loopback(where):
            yield "grafana", grafana_port


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.strip("[]")).is_loopback
