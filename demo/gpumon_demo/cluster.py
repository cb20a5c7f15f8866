"""The simulated cluster: a pure function of time, from which everything else in this package reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import groupby

from gpumon.model import (
    AccountUsage,
    Alert,
    Gpu,
    Job,
    Node,
    NodeSlurm,
    Partition,
    Queue,
    Reservation,
    UserUsage,
)
from gpumon_demo import alerts, gauges, hosts, inventory, people, reservations, slurm, slurm_nodes, workload
from gpumon_demo.backlog import Backlog, Waiting
from gpumon_demo.blocks import Block, Held
from gpumon_demo.chance import draw, whole
from gpumon_demo.clockwork import ROUND_SECONDS, SUBMIT_UNIT_SECONDS, tick_of
from gpumon_demo.hardware import MACHINES, letters, names
from gpumon_demo.inventory import Host
from gpumon_demo.patterns import Rhythms
from gpumon_demo.planner import plans
from gpumon_demo.plans import Plan, Shape
from gpumon_demo.tally import Tally
from gpumon_demo.troubles import Troubles, troubles

FEWEST_NODES = 4
MOST_NODES = 1250
BEGIN = 1_788_220_800.0
"""What counts as the demo's first moment when nothing else is said: 1 September 2026."""
_WAITING_PER_GPU = 1.7
_WAITING_AT_LEAST = 24


class Simulation:
    """One cluster, made from a seed; `at` says how it is at any moment, always the same for the same moment."""

    def __init__(
        self, nodes: int = 12, seed: int = 1, *, begins_at: float = BEGIN, falls_silent_at: float | None = None
    ) -> None:
        """`begins_at` is the moment around which uptimes and troubles are laid; the past before it exists all the same.

        One dcgm-exporter falls silent at `falls_silent_at`, by default four minutes before, for half an hour, and
        again every three hours.
        """
        if not FEWEST_NODES <= nodes <= MOST_NODES:
            raise ValueError(f"a simulated cluster has {FEWEST_NODES} to {MOST_NODES} nodes, not {nodes}")
        self.size, self.seed = nodes, seed
        silent = begins_at - 240 if falls_silent_at is None else falls_silent_at
        machines = [MACHINES[letter] for letter in letters(nodes)]
        self.hosts = tuple(
            inventory.host(name, number, machine, seed)
            for number, (name, machine) in enumerate(zip(names(nodes), machines, strict=True))
        )
        self.host_by_name = {host.name: host for host in self.hosts}
        self.troubles: Troubles = troubles([host.name for host in self.hosts], begins_at, silent)
        self.users = people.users(sum(len(host.gpus) for host in self.hosts))
        self.blocks = self._blocks(begins_at)
        self.block_of = {host.name: (block, place) for block in self.blocks for place, host in enumerate(block.hosts)}
        self.backlog = self._backlog()
        self.ids = self.backlog.id_base + self.backlog.streams
        """How many origins job ids have."""
        self.known_jobs: dict[tuple[int, int, int, str], Job] = {}
        """Memory of jobs that were put together once; they are the same whenever they are."""
        self._latest: tuple[Cluster, ...] = ()

    def at(self, moment: float) -> Cluster:
        """The cluster in the tick that holds `moment`."""
        tick = tick_of(moment)
        for known in self._latest:
            if known.moment == tick:
                return known
        found = Cluster(self, tick)
        self._latest = (found, *self._latest[:1])
        return found

    @cached_property
    def gpu_of(self) -> Mapping[str, tuple[Host, tuple[int, ...]]]:
        """For the key of each GPU, its node and the places of its units there."""
        return {host.units[places[0]].device.key: (host, places) for host in self.hosts for places in host.gpus}

    def booted_at(self, host: Host, moment: int) -> int:
        """When a node was booted, as seen from a moment: its counters count from there."""
        block = self.block_of[host.name][0]
        return (
            block.offset
            + block.boot(block.place(moment)[0]) * ROUND_SECONDS
            - 300
            - whole(900, self.seed, host.number, 5)
        )

    @property
    def label(self) -> str:
        """How the simulation names itself wherever it is shown."""
        return f"demo, seed {self.seed}, {self.size} nodes"

    def _blocks(self, begins_at: float) -> tuple[Block, ...]:
        rhythms = Rhythms(self.seed)
        library: dict[Shape, tuple[Plan, ...]] = {}
        found: list[Block] = []
        ids = 0
        for group in self._neighbours():
            number = len(found)
            plan: tuple[Plan, ...] = ()
            if not self.troubles.is_out_of_service(group[0].name):
                shape = _shape(group[0], len(group))
                plan = library.get(shape) or plans(shape, self.seed, rhythms)
                library[shape] = plan
            offset = whole(ROUND_SECONDS // SUBMIT_UNIT_SECONDS, self.seed, number, 3) * SUBMIT_UNIT_SECONDS
            uptime = (2 + 40 * draw(self.seed, number, 4)) * 86_400
            first = int((begins_at - uptime - offset) // ROUND_SECONDS)
            found.append(Block(number, group, plan, self.seed, ids, offset, first))
            ids += found[-1].ids
        return tuple(found)

    def _neighbours(self) -> list[tuple[Host, ...]]:
        """Nodes of one type side by side, in blocks; those out of service each alone."""
        found: list[tuple[Host, ...]] = []
        for machine, alike in groupby(self.hosts, key=lambda host: host.machine):
            all_of_them = list(alike)
            working = [host for host in all_of_them if not self.troubles.is_out_of_service(host.name)]
            found += [tuple(working[at : at + machine.block]) for at in range(0, len(working), machine.block)]
            found += [(host,) for host in all_of_them if host not in working]
        return found

    def _backlog(self) -> Backlog:
        gpus = sum(host.machine.cards for host in self.hosts)
        nodes = Counter(host.machine.partition for host in self.hosts)
        per_node = {host.machine.partition: 1 if host.machine.slices else host.machine.cards for host in self.hosts}
        wanted = tuple((name, per_node[name], count) for name, count in nodes.items())
        base = sum(block.ids for block in self.blocks)
        return Backlog(max(_WAITING_AT_LEAST, int(gpus * _WAITING_PER_GPU)), wanted, self.seed, base)


def _shape(host: Host, nodes: int) -> Shape:
    machine, shards = host.machine, host.machine.shards
    letter = next(letter for letter, known in MACHINES.items() if known is machine)
    has_gpus = machine.card is not None
    return Shape(letter, nodes, host.parts, machine.cpus, has_gpus, bool(machine.slices), machine.is_debug, shards)


class Cluster:
    """How the cluster is at one moment; parts are worked out when they are asked for."""

    def __init__(self, simulation: Simulation, moment: int) -> None:
        self.simulation, self.moment = simulation, moment

    @cached_property
    def held(self) -> tuple[tuple[Held, ...], ...]:
        """The jobs that run or are suspended, for each block."""
        return tuple(tuple(block.running(self.moment)) for block in self.simulation.blocks)

    @cached_property
    def completing(self) -> tuple[tuple[Held, ...], ...]:
        """The jobs whose nodes are being cleaned up, for each block."""
        return tuple(tuple(block.completing(self.moment)) for block in self.simulation.blocks)

    @cached_property
    def waiting(self) -> tuple[Held, ...]:
        """The jobs that wait and will start."""
        return tuple(held for block in self.simulation.blocks for held in block.waiting(self.moment))

    @cached_property
    def streams(self) -> Sequence[Waiting]:
        """The jobs that only wait, and those that were taken back since."""
        return self.simulation.backlog.jobs(self.moment)

    @cached_property
    def backlog(self) -> Sequence[Waiting]:
        """The jobs that only wait."""
        return [job for job in self.streams if self.moment < job.withdrawn]

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """The queue, in the order of the jobs' numbers."""
        return workload.jobs(self)

    @cached_property
    def job_by_id(self) -> dict[str, Job]:
        """Every job by its id."""
        return {job.id: job for job in self.jobs}

    def job_of(self, held: Held) -> Job:
        """A job that runs or is suspended."""
        return workload.started_job(self.simulation, held, workload.phase(held, self.moment))

    def held_here(self, host: Host) -> list[Held]:
        """The jobs that hold something of a node, each once."""
        block, place = self.simulation.block_of[host.name]
        return [held for held in self.held[block.number] if place in held.job.where]

    def held_on(self, host: Host) -> list[Held | None]:
        """For each unit of a node, the job that holds it."""
        place = self.simulation.block_of[host.name][1]
        found: list[Held | None] = [None] * host.parts
        for held in self.held_here(host):
            for unit in held.job.where.units_on(place):
                found[unit] = held
        return found

    def gpus_of(self, host: Host) -> tuple[Gpu, ...]:
        """A node's GPUs as its exporter tells them now, or told them last; () when it was never heard."""
        trouble = self.simulation.troubles
        if host.name == trouble.down:
            return ()
        heard = trouble.last_heard(host.name, self.moment)
        if heard == self.moment:
            return gauges.gpus(self, host)
        return gauges.last_words(gauges.gpus(Cluster(self.simulation, heard), host), self, host)

    @cached_property
    def gpus(self) -> tuple[Gpu, ...]:
        """All GPUs, ordered by node, number and MIG instance."""
        return tuple(gpu for host in self.by_name for gpu in self.gpus_of(host))

    @cached_property
    def by_name(self) -> tuple[Host, ...]:
        """The nodes in the order in which people count."""
        return tuple(sorted(self.simulation.hosts, key=lambda host: host.name))

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes."""
        return tuple(hosts.node(self, host) for host in self.by_name)

    @cached_property
    def slurm_nodes(self) -> dict[str, NodeSlurm]:
        """What Slurm says about each node, by name."""
        return {host.name: slurm_nodes.node(self, host) for host in self.by_name}

    @cached_property
    def tally(self) -> Tally:
        """The queue, counted."""
        return Tally(self.jobs)

    @cached_property
    def queue(self) -> Queue:
        """The queue in numbers."""
        return slurm.queue(self)

    @cached_property
    def partitions(self) -> tuple[Partition, ...]:
        """How full each partition is."""
        return slurm.partitions(self)

    @cached_property
    def users(self) -> tuple[UserUsage, ...]:
        """What each user has in the queue."""
        return slurm.users(self)

    @cached_property
    def accounts(self) -> tuple[AccountUsage, ...]:
        """What each account has in the queue."""
        return slurm.accounts(self)

    @cached_property
    def reservations(self) -> tuple[Reservation, ...]:
        """What is set aside."""
        return reservations.reservations(self)

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The nodes that are kept for somebody now."""
        return reservations.reserved(self)

    @cached_property
    def alerts(self) -> tuple[Alert, ...]:
        """What Prometheus' usual rules would say about this."""
        return alerts.alerts(self)

    def mean_utilization(self) -> float:
        """Of all whole GPUs that are in service, without working out each of them."""
        busy = count = 0.0
        for block in self.simulation.blocks:
            host = block.hosts[0]
            if host.machine.card is None or host.name == self.simulation.troubles.down:
                continue
            parts = [0.0 if unit.slice else unit.part for unit in host.units]
            count += sum(parts) * len(block.hosts)
            for held in self.held[block.number]:
                region = held.job.where
                nodes = range(region.node, region.node + region.nodes)
                held_ones = sum(parts[unit] for node in nodes for unit in region.units_on(node))
                busy += held.job.activity(held.age(self.moment)).busy * held_ones
        return busy / count if count else 0.0
