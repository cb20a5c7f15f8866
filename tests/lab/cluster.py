"""A whole lab: builds what is missing, brings a cluster up, takes it down without a trace."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import access, cgroups, disks, gpumon_layer, ground, keys, network, packages, preloaded, seat
from lab.cached import drop_unused, one_at_a_time, remove, say
from lab.failures import LabFailed
from lab.images import build as images
from lab.layers import Layers
from lab.node import Node
from lab.places import Places
from lab.plan import Machine, Plan
from lab.seed import Seeds

BOOT_SCRIPTS = ("stage.sh", "supervise.sh")
HANDS = 32
"""How many nodes are looked after at once."""


class Cluster:
    """The lab of one name on this machine, whether it is up or not."""

    def __init__(self, lab: Places) -> None:
        self.lab = lab

    @property
    def machines(self) -> Sequence[Machine]:
        """Of the cluster that is up; none when none is."""
        noted = self.lab.run / "machines.json"
        return [Machine(**each) for each in json.loads(noted.read_text())] if noted.exists() else []

    def node(self, name: str) -> Node:
        """One machine of the cluster that is up.

        Raises:
            LabFailed: it has none of that name.
        """
        names = [machine.name for machine in self.machines]
        if name not in names:
            raise LabFailed(f"There is no machine {name}; there are: {', '.join(names) or 'none, no lab is up'}.")
        return Node(self.lab, name)

    def build(self, plan: Plan) -> None:
        """Makes what the plan needs and is not there; labs of other names wait meanwhile."""
        ground.look(self.lab)
        layers = Layers(self.lab, plan.suite)
        with one_at_a_time(self.lab.cache / "lock"):
            keys.build(self.lab)
            flavors = {plan.flavor_of(name) for name in plan.names}
            for flavor in sorted(flavors | {"base"}):
                layers.build(flavor)
            packages.build(layers)
            images.build(self.lab)
            if plan.has_disks:
                for flavor in sorted(flavors):
                    disks.build(layers, flavor)
            if plan.has_gpumon:
                gpumon_layer.build(layers)
            if plan.is_preloaded:
                preloaded.build(self.lab, layers, self._started)
            used = [noted.read_text() for noted in self.lab.run.parent.glob("*/*/layers")]
            drop_unused(layers.folder, "*-*", ":".join(used).split(":"))

    def forget(self) -> None:
        """Removes everything that was built.

        Raises:
            LabFailed: a lab stands on it.
        """
        up = sorted(path.name for path in self.lab.run.parent.glob("*"))
        if up:
            raise LabFailed(f"These labs run on what was built: {', '.join(up)}; take them down first.")
        remove(self.lab.cache)

    def up(self, plan: Plan) -> None:
        """Returns when every machine has booted and answers.

        Raises:
            LabFailed: one is up already, or something does not work; what was begun is taken down again.
        """
        self.build(plan)
        with one_at_a_time(self._lock):
            self._refuse_if_up()
            try:
                self._start(plan)
            except BaseException:
                self._remove()
                raise

    def down(self) -> None:
        """Ends and removes everything of this lab, also what a killed one left; what was built stays."""
        with one_at_a_time(self._lock):
            self._remove()

    @property
    def _lock(self) -> Path:
        return self.lab.home / f"{self.lab.name}.lock"

    @contextlib.contextmanager
    def _started(self, plan: Plan) -> Generator[Node]:
        with one_at_a_time(self._lock):
            self._refuse_if_up()
            try:
                self._start(plan)
                yield Node(self.lab, plan.names[0])
            finally:
                self._remove()

    def _refuse_if_up(self) -> None:
        if self.lab.run.exists() or cgroups.group(self.lab).exists():
            raise LabFailed("This lab is up, or the rest of a dead one is left: `lab down` first.")

    def _start(self, plan: Plan) -> None:
        began = time.monotonic()
        ground.make_room_for(plan.machines, self.lab)
        self.lab.run.mkdir(parents=True, exist_ok=True)
        network.start(self.lab)
        seat.start(self.lab, plan.suite)
        seeds = Seeds(self.lab, plan, Layers(self.lab, plan.suite))
        for name in plan.names:
            seeds.lay_out(name)
        for script in BOOT_SCRIPTS:
            shutil.copy(Path(__file__).parent / script, self.lab.run)
        machines = [plan.machine(name) for name in plan.names]
        (self.lab.run / "machines.json").write_text(json.dumps([dataclasses.asdict(each) for each in machines]))
        access.write(self.lab, machines)
        with ThreadPoolExecutor(HANDS) as hands:
            for started in [hands.submit(Node(self.lab, name).start) for name in plan.names]:
                started.result()
        say(f"{plan.machines} machines up in {time.monotonic() - began:.1f} s")

    def _remove(self) -> None:
        began = time.monotonic()
        cgroups.kill(cgroups.group(self.lab))
        cgroups.remove_all(self.lab)
        network.stop(self.lab)
        ground.restore_room(self.lab)
        if self.lab.run.exists():
            shutil.rmtree(self.lab.run)
        say(f"down in {time.monotonic() - began:.1f} s")
