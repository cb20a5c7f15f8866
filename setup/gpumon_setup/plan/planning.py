"""From wanted resources and a machine's state to the plan for it; pure, and the same whenever the same is asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from gpumon_setup.components import CannotHave, Component, Place, Site
from gpumon_setup.components.slurm_programs import still_needed
from gpumon_setup.facts import BEFORE, Look, Record, State
from gpumon_setup.host import MakeDirectory, RemoveDirectory, RunCommand, Step, WriteFile
from gpumon_setup.plan.change import Change, HostPlan
from gpumon_setup.plan.preflight import obstacles as preflight
from gpumon_setup.resources import ROOM, Missing, Resource, leaving_nothing, rank, removal, without_data

_OWN_DIRECTORIES = (ROOM, BEFORE, "/var/lib/gpumon/setup", "/var/lib/gpumon", "/etc/gpumon")


@dataclass(frozen=True)
class Wanted:
    """What one machine should have, by component, in the order of deployment."""

    resources: tuple[tuple[str, Resource], ...] = ()
    obstacles: tuple[str, ...] = ()
    """Why a component cannot be there."""
    components: frozenset[str] = frozenset()
    """Those that had a say: what others left behind is not touched."""


def wanted(place: Place, components: Sequence[Component]) -> Wanted:
    """What the components want of a machine. One that is not wanted anywhere wants nothing: its traces are removed.

    What two of them want alike is the first one's.
    """
    resources: dict[Resource, str] = {}
    obstacles = list(preflight(place, [component.name for component in components]))
    for component in components:
        if component.name in place.site.inventory.without:
            continue
        try:
            for resource in component.wanted(place):
                resources.setdefault(resource, component.name)
        except CannotHave as reason:
            obstacles.append(str(reason))
    found = tuple((name, resource) for resource, name in resources.items())
    return Wanted(found, tuple(obstacles), frozenset(component.name for component in components))


def still_to_see(wishes: Wanted, state: State) -> Look:
    """What must be looked at before a plan can be made."""
    look = Look()
    for _, resource in wishes.resources:
        look |= resource.look(state)
    return state.unknown(look)


def plan_host(place: Place, wishes: Wanted, state: State, *, allow_busy: bool = False) -> HostPlan:
    """What is missing, then what is no longer wanted."""
    draft = _Draft(place.machine.name, allow_busy or not place.facts.is_busy)
    draft.obstacles.extend(wishes.obstacles)
    for component, resource in wishes.resources:
        missing = resource.missing(state)
        if missing is not None:
            actions = () if missing.obstacle else resource.actions(state, component)
            draft.add(component, missing, Step(missing.words, actions))
    keys = {(resource.kind, resource.key) for _, resource in wishes.resources}
    left = [record for record in state.made.values()
            if record.component in wishes.components and (record.kind, record.key) not in keys]  # fmt: skip
    if not wishes.obstacles:  # a component that cannot say what it wants is no reason to take away what it has
        draft.remove(without_data(left), state, place.site)
    return draft.plan(place.facts.slurm.steps)


def plan_uninstall(
    place: Place,
    state: State,
    components: Collection[str] | None,
    *,
    keeps_data: bool = False,
    allow_busy: bool = False,
) -> HostPlan:
    """What takes away all that the machine's records name; `components` limits it, None for all."""
    draft = _Draft(place.machine.name, allow_busy or not place.facts.is_busy)
    records = [record for record in state.made.values() if components is None or record.component in components]
    if keeps_data:
        records = without_data(records)
    draft.remove(records, state, place.site)
    has_to_stay = any(change.waits_for for change in draft.held_back)
    if records and len(records) == len(state.made) and not has_to_stay:
        step = Step("remove gpumon's own records, if nothing is left", tuple(map(RemoveDirectory, _OWN_DIRECTORIES)))
        draft.changes.append(Change("setup", step))
    return draft.plan(place.facts.slurm.steps)


def removal_look(state: State) -> Look:
    """What must be known to take away all that was made: the records' own things, which the facts hold already."""
    look = Look()
    for record in state.made.values():
        path = frozenset({record.key.partition("#")[0]})
        look |= Look(
            files=path if record.kind in ("file", "directory") else frozenset(),
            contents=path if record.kind == "block" else frozenset(),
            units=frozenset({record.key}) if record.kind == "unit" else frozenset(),
        )
    return state.unknown(look)


@dataclass
class _Draft:
    """A plan in the making."""

    host: str
    may_disrupt: bool
    changes: list[Change] = field(default_factory=list[Change])
    held_back: list[Change] = field(default_factory=list[Change])
    obstacles: list[str] = field(default_factory=list[str])

    def add(self, component: str, missing: Missing, step: Step) -> None:
        """One more change; behind one that is held back, the rest of its component is, too."""
        if missing.obstacle:
            self.obstacles.append(missing.obstacle)
            return
        change = Change(component, step, missing.diff, missing.is_disruptive, missing.waits_for)
        waits = any(held.component == component for held in self.held_back)
        is_held = bool(missing.waits_for) or (not self.may_disrupt and (missing.is_disruptive or waits))
        (self.held_back if is_held else self.changes).append(change)

    def remove(self, records: Sequence[Record], state: State, site: Site) -> None:
        """What takes these things away, and lets systemd forget units whose files are gone.

        What Slurm would drain the node for stays, with its directory.
        """
        named = {
            record.key: why
            for record in records
            if record.kind == "file" and (why := still_needed(site, record.key, state.shared))
        }
        for record in sorted(records, key=rank):
            if record.kind == "directory" and any(path.startswith(f"{record.key}/") for path in named):
                continue
            missing, actions = (
                leaving_nothing(record, state, named[record.key]) if record.key in named else removal(record, state)
            )
            self.add(record.component, missing, Step(missing.words, actions))
        gone = [record for record in records if record.kind == "file" and record.key.startswith("/etc/systemd/system/")]
        if gone:
            reload = Step("let systemd forget the units", (RunCommand(("systemctl", "daemon-reload")),))
            self.add(gone[0].component, Missing(reload.words, is_disruptive=True), reload)

    def plan(self, running: tuple[str, ...]) -> HostPlan:
        """The plan, whose first step makes room for records."""
        changes = list(self.changes)
        if any(_keeps_a_record(change.step) for change in changes):
            first = changes[0]
            room = MakeDirectory(ROOM, 0o700), MakeDirectory(BEFORE, 0o700)
            changes[0] = replace(first, step=Step(first.words, (*room, *first.step.actions)))
        return HostPlan(self.host, tuple(changes), tuple(self.held_back), tuple(self.obstacles), running)


def _keeps_a_record(step: Step) -> bool:
    return any(isinstance(action, WriteFile) and action.path.startswith(f"{ROOM}/") for action in step.actions)
