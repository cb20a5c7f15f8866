"""One run of the setup: the machines it is about, their facts, and the plans that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from gpumon.errors import GpumonError
from gpumon_setup.components import Component, Guide, Place, Site
from gpumon_setup.components.absent import Absent, absent, files_of_absent, scrapes_slurm_itself
from gpumon_setup.facts import Facts, Look, State, read_facts, read_state
from gpumon_setup.failures import HostError
from gpumon_setup.fleet import Fleet, locked
from gpumon_setup.host import Host
from gpumon_setup.inventory import Inventory, Role
from gpumon_setup.plan import (
    HostPlan,
    Plan,
    Standing,
    plan_host,
    plan_uninstall,
    removal_look,
    standings,
    still_to_see,
    supplied,
    wanted,
)
from gpumon_setup.verbs.settling import settle
from gpumon_setup.verbs.ways import lost_ways, open_port

_MOST_LOOKS = 3
"""A path that is looked at may turn out to need its content; deeper it does not go."""
_TELLS = frozenset({Role.MASTER, Role.CONTROLLER})
"""What these machines tell is about others too."""


@dataclass
class Session:
    """What is known so far."""

    inventory: Inventory
    fleet: Fleet
    components: Sequence[Component]
    """Those that have a say in this run."""
    limit: frozenset[str] = frozenset()
    """The machines that it is about; empty for all."""
    facts: dict[str, Facts] = field(default_factory=dict[str, Facts])
    states: dict[str, State] = field(default_factory=dict[str, State])
    failures: dict[str, GpumonError] = field(default_factory=dict[str, GpumonError])
    """Machines that this run is about and that could not be asked."""
    silent: Mapping[str, GpumonError] = field(default_factory=dict[str, GpumonError])
    """All that could not be asked; master and controller among them even when the run is not about them."""
    absent: Absent = field(default_factory=Absent)
    """What is known of machines that nobody asked, or that did not answer."""
    unreached: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of machines that are new: why the master does not reach them."""

    @property
    def names(self) -> tuple[str, ...]:
        """The machines that this run is about, in the order of the inventory."""
        names = (machine.name for machine in self.inventory.machines)
        return tuple(name for name in names if not self.limit or name in self.limit)

    @property
    def site(self) -> Site:
        """The cluster, as far as it answered."""
        return Site(self.inventory, self.facts, self.absent, self.unreached)

    def alone(self) -> AbstractContextManager[None]:
        """The cluster's lock, while one goes on; all machines are set out for beforehand, since each takes its time.

        Raises:
            Locked: somebody else holds it.
            HostError: the master cannot be asked.
        """
        master = self.inventory.master.name
        self.fleet.set_out(dict.fromkeys((master, *self.names)))
        return locked(self.fleet.host(master))

    def gather(self, *, to_act: bool = False) -> None:
        """Reads the facts of all machines; of the master in any case, which knows what names mean, and of Slurm's.

        Who is going `to_act` waits where an earlier run is still at work.
        """
        all_names = [machine.name for machine in self.inventory.machines]
        master = self.inventory.master.name
        names = [
            one.name for one in self.inventory.machines if one.name in self.names or not _TELLS.isdisjoint(one.roles)
        ]

        def read(host: Host) -> Facts:
            known = all_names if host.name == master else (host.name, master)
            facts = read_facts(host, names=known)
            if facts.worker and to_act and host.name in self.names:
                settle(host, facts.worker)
                facts = read_facts(host, names=known)
            return facts

        outcomes = self.fleet.each(names, read)
        self.facts.update(outcomes.done)
        # Of who went away meanwhile, the address is still good, and what stood there is not.
        self.states = {name: facts.state for name, facts in outcomes.done.items()}
        self.silent = outcomes.failed
        self.failures = {name: error for name, error in outcomes.failed.items() if name in self.names}
        self._remember()

    def _remember(self) -> None:
        """Looks up what is known of those that told nothing: a run about all, who all answer, has none."""
        machines = self.inventory.machines
        others = [machine.name for machine in machines if machine.name not in self.facts]
        controllers = [self.facts.get(machine.name) for machine in machines if Role.CONTROLLER in machine.roles]
        is_slurm_silent = any(facts is None or facts.slurm.node_gpus is None for facts in controllers)
        master = self.states.get(self.inventory.master.name)
        if not others and not (is_slurm_silent and master is not None and scrapes_slurm_itself(master)):
            self.absent = Absent()
            return
        if master is not None:
            self._look([self.inventory.master.name], lambda name: files_of_absent(self.states[name]))
        dialled = {name: address for name in others if (address := self.fleet.dialled(name))}
        self.absent = absent(self.states.get(self.inventory.master.name), self.states.values(), dialled)

    def place(self, name: str) -> Place | None:
        """A machine as components see it; None when it did not answer."""
        machine = self.inventory.machine(name)
        known = machine is not None and name in self.facts
        return Place(machine, self.facts[name], self.site) if machine is not None and known else None

    def plan(self, *, allow_busy: bool = False) -> Plan:
        """What is to be done, after looking at whatever that needs."""
        places = self._places()
        self._try_ways(places)
        places = self._places()
        wishes = supplied({name: wanted(place, self.components) for name, place in places.items()}, places)
        self._look(places, lambda name: still_to_see(wishes[name], self.states[name]))
        return self._plan({
            name: plan_host(place, wishes[name], self.states[name], allow_busy=allow_busy)
            for name, place in places.items() if name in self.states
        })  # fmt: skip

    def _try_ways(self, places: Mapping[str, Place]) -> None:
        """Has the master try the way to machines on which nothing was made yet; one round trip more for a first run."""
        master = self.inventory.master.name
        new = [name for name in places if name != master and name in self.states and not self.states[name].made]
        if not new or master not in self.states:
            self.unreached = {}
            return
        ends = {name: (places[name].address, open_port(self.facts[name])) for name in new}
        self.unreached = lost_ways(self.fleet.host(master), ends)

    def advice(self) -> Iterator[str]:
        """How people get to what is in place now."""
        guides = [one for one in self.components if isinstance(one, Guide) and one.name not in self.inventory.without]
        for place in self._places().values():
            for guide in guides:
                yield from guide.advice(place)

    def standings(self, plan: Plan) -> tuple[Standing, ...]:
        """How every component stands, given the plan that was just made."""
        places = self._places()
        return tuple(
            standing
            for host in plan.hosts
            for standing in standings(wanted(places[host.host], self.components), host, self.states[host.host])
        )

    def plan_removal(self, components: Collection[str] | None, *, keeps_data: bool, allow_busy: bool) -> Plan:
        """What takes away all that was made."""
        places = self._places()
        self._look(places, lambda name: removal_look(self.states[name]))
        return self._plan({
            name: plan_uninstall(place, self.states[name], components, keeps_data=keeps_data, allow_busy=allow_busy)
            for name, place in places.items() if name in self.states
        })  # fmt: skip

    def apply(
        self,
        plan: Plan,
        done: Callable[[str, int], None],
        sent: Callable[[str, int, int, int], None] = lambda _host, _number, _so_far, _size: None,
    ) -> Mapping[str, GpumonError]:
        """Carries out a plan as it was shown; `done` hears of each change by machine and number.

        `sent` hears how what is sent for a change gets on: machine, number, the bytes so far and in all.

        Machines with an obstacle are left alone. What failed comes back, by machine.
        """
        plans = {host.host: host for host in plan.hosts if host.changes and not host.obstacles}

        def perform(host: Host) -> None:
            host.perform(plans[host.name].steps, done=partial(done, host.name), sent=partial(sent, host.name))

        return self.fleet.each(plans, perform).failed

    def _places(self) -> dict[str, Place]:
        site = self.site
        return {
            machine.name: Place(machine, self.facts[machine.name], site)
            for machine in self.inventory.machines
            if machine.name in self.names and machine.name in self.facts
        }

    def _look(self, names: Iterable[str], needed: Callable[[str], Look]) -> None:
        """Looks at what is not known yet, in one more round trip, seldom two."""
        for _ in range(_MOST_LOOKS):
            looks = {name: look for name in names if name in self.states and (look := needed(name))}
            if not looks:
                return

            def read(host: Host, looks: Mapping[str, Look] = looks) -> State:
                return read_state(host, looks[host.name])

            outcomes = self.fleet.each(looks, read)
            for name, state in outcomes.done.items():
                self.states[name] = self.states[name].with_more(state)
            for name, error in outcomes.failed.items():
                self.failures[name] = error
                del self.states[name]

    def _plan(self, plans: Mapping[str, HostPlan]) -> Plan:
        reasons = {
            name: " ".join(filter(None, (error.reason, error.advice))) if isinstance(error, HostError) else str(error)
            for name, error in self.failures.items()
        }
        return Plan(tuple(plans.values()), reasons)
