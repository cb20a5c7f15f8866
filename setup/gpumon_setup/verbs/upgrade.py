"""`gpumon setup upgrade`: one machine first, then more at a time; back to the old version where the new one fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gpumon_setup.components import COMPONENTS
from gpumon_setup.facts import State
from gpumon_setup.failures import SetupError
from gpumon_setup.host import RunCommand
from gpumon_setup.plan import Change, HostPlan, Plan
from gpumon_setup.verbs import plan as planning
from gpumon_setup.verbs import verify
from gpumon_setup.verbs.apply import performed
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import accompany, announce, is_agreed, narrate
from gpumon_setup.verify import Check

_GROWTH = 8
"""By how much each wave is larger than the one before."""
_QUICK = frozenset({"hosts", "firewall", "node_exporter", "slurm_exporter"})
"""What tells its numbers as soon as it runs."""
_QUICK_SECONDS = 10.0
"""How long these may take beside their scrapes."""
_WITH_IMAGE = frozenset(one.name for one in COMPONENTS if any(key.field == "image" for key in one.keys))


def run(options: SetupOptions) -> int:
    """Brings new versions; what differs otherwise comes along. Packages of the distribution are its own business."""
    with opened(options) as session, session.alone():
        if "prometheus" in session.inventory.without:
            raise SetupError(
                "Without gpumon's own Prometheus nobody says whether a new version works.",
                advice="gpumon setup brings it everywhere at once.",
            )
        announce(len(session.names))
        session.gather(to_act=True)
        plan = session.plan(allow_busy=options.allow_busy)
        planning.show(plan, options)
        if not plan.has_changes:
            return planning.plan_code(plan)
        if not options.yes and not is_agreed("Do all this, one machine first?"):
            narrate("Nothing was done.")
            return SetupCode.INCOMPLETE
        return _Upgrade(session, options, _failing(verify.checked(session, intervals=0))).carry_out(plan)


@dataclass(frozen=True)
class _Upgrade:
    """One upgrade of a cluster."""

    session: Session
    options: SetupOptions
    known: frozenset[tuple[str, str]]
    """What failed before: no reason to go back."""

    def carry_out(self, plan: Plan) -> SetupCode:
        """Wave after wave, until all is done or one fails; old images go last, for the way back needs them."""
        plans = {host.host: _keeping_images(host) for host in plan.hosts if host.changes and not host.obstacles}
        old = {name: images_of(self.session.states[name]) for name in plans}
        for wave in waves([name for name, host in plans.items() if host.changes], self.session.inventory.master.name):
            narrate(f"Now: {', '.join(wave)}")
            problems = self._bring(Plan(tuple(plans[name] for name in wave), {}), wave)
            if problems:
                self._say(problems, old)
                self._go_back({name: old[name] for name in wave})
                return SetupCode.INCOMPLETE
        return self._clear()

    def _bring(self, plan: Plan, names: Sequence[str]) -> list[str]:
        """Applies a plan; the sentences about what is not well afterwards."""
        if failed := performed(self.session, plan, self.options):
            return [f"FAILED  {error}" for error in failed.values()]
        only = replace(self.session, limit=frozenset(names))
        is_quick = _QUICK.issuperset(change.component for host in plan.hosts for change in host.changes)
        spare = _QUICK_SECONDS if is_quick else verify.FIRST_SECONDS
        checks = verify.checked(only, intervals=3, spare=spare, changed=names)
        new = _failing(checks) - self.known
        return list(verify.check_lines([check for check in checks if (check.claim, check.host) in new])) if new else []

    def _say(self, problems: Sequence[str], old: Mapping[str, Mapping[str, str]]) -> None:
        accompany(problems, is_json=self.options.json)
        narrate("Going back. Until that is mended, name the old versions in the configuration:")
        for component, image in dict(item for images in old.values() for item in images.items()).items():
            narrate(f'  [setup.{component}] image = "{image}"')

    def _go_back(self, old: Mapping[str, Mapping[str, str]]) -> None:
        """Each machine gets the images that it had."""
        for name, images in old.items():
            sections = {**self.session.inventory.sections}
            for component, image in images.items():
                sections[component] = {**sections.get(component, {}), "image": image}
            inventory = replace(self.session.inventory, sections=sections)
            back = Session(inventory, self.session.fleet, self.session.components, frozenset({name}))
            back.gather(to_act=True)
            failed = performed(back, back.plan(allow_busy=self.options.allow_busy), self.options)
            checks = () if failed else verify.checked(back, intervals=3, spare=verify.FIRST_SECONDS, changed=(name,))
            is_well = not failed and not {one for one in _failing(checks) - self.known if one[1] == name}
            narrate(f"{name} is back." if is_well else f"{name} could not be brought back: gpumon setup status.")

    def _clear(self) -> SetupCode:
        """What is left: images that nobody needs any more."""
        self.session.gather(to_act=True)
        failed = performed(self.session, self.session.plan(allow_busy=self.options.allow_busy), self.options)
        self.session.gather(to_act=True)
        after = self.session.plan(allow_busy=self.options.allow_busy)
        narrate("Everything is as planned." if after.is_clean else "All that can be done now is done.")
        return SetupCode.INCOMPLETE if failed else planning.plan_code(after)


def waves(names: Sequence[str], master: str) -> Iterator[tuple[str, ...]]:
    """One machine, then more and more; the master last, since it says how the others are."""
    rest = [name for name in names if name != master]
    size = 1
    while rest:
        yield tuple(rest[:size])
        rest, size = rest[size:], size * _GROWTH
    if master in names:
        yield (master,)


def images_of(state: State) -> dict[str, str]:
    """The images of our containers now, by component."""
    found = {
        name.removeprefix("gpumon-").replace("-", "_"): container.image
        for name, container in state.containers.items()
        if container.is_ours
    }
    return {component: image for component, image in found.items() if component in _WITH_IMAGE}


def _keeping_images(host: HostPlan) -> HostPlan:
    return replace(host, changes=tuple(change for change in host.changes if not _removes_an_image(change)))


def _removes_an_image(change: Change) -> bool:
    return any(isinstance(one, RunCommand) and one.argv[1:3] == ("image", "rm") for one in change.step.actions)


def _failing(checks: Sequence[Check]) -> frozenset[tuple[str, str]]:
    return frozenset((check.claim, check.host) for check in checks if not check.is_ok)
