"""A service of systemd that runs, and comes back after a reboot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Look, Record, State
from gpumon_setup.host import Action, RunCommand, digest_of
from gpumon_setup.resources.file import File
from gpumon_setup.resources.resource import Missing, remembered

WAS_THERE = "was there"
"""A record's detail when somebody else's unit ran already."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that is enabled and active, and was started with what it now reads."""

    kind: ClassVar[str] = "unit"
    name: str
    """With its ending: "gpumon-node-exporter.service"."""
    file: File | None = None
    """The unit's own file where that is ours; it stands before the unit among the resources."""
    reads: tuple[str, ...] = ()
    """Digests of what it reads when it starts: another one means a restart."""
    reload: tuple[str, ...] = ()
    """What makes it read them anew while it runs; empty to restart it. Another file of its own restarts it anyhow."""

    @property
    def key(self) -> str:
        """Its name."""
        return self.name

    @property
    def spec(self) -> str:
        """The hash of all it depends on. A restart that was missed shows by it, whenever it was missed."""
        own = self.file.digest if self.file is not None else ""
        return digest_of("\n".join((own, *self.reads)).encode())

    def look(self, state: State) -> Look:
        """Its state."""
        del state
        return Look(units=frozenset({self.name}))

    def missing(self, state: State) -> Missing | None:
        """Not enabled, not running, or running with what it read before."""
        now = state.unit(self.name)
        if now.load == "masked":
            return Missing(f"start {self.name}", obstacle=f"{self.name} is masked: systemctl unmask {self.name}.")
        orders = [] if now.is_enabled else ["enable"]
        if now.active not in ("active", "reloading"):
            orders.append("start" if now.active != "failed" else "start again")
        elif self._is_stale(state):
            orders.append("reload" if self._can_reload(state) else "restart")
        if not orders:
            return None
        return Missing(f"{' and '.join(orders)} {self.name}", is_disruptive=self._needs_daemon_reload(state))

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """systemd reads its files anew only where it must: that takes GPUs from running containers."""
        now = state.unit(self.name)
        known = state.made.get((self.kind, self.name))
        was_there = known.detail if known is not None else (WAS_THERE if now.active == "active" else "")
        record = Record(self.kind, self.name, component, self.spec, was_there)
        begun = Record(self.kind, self.name, component, "", was_there)
        actions: list[Action] = [remembered(begun)]
        if self._needs_daemon_reload(state):
            actions.append(RunCommand(("systemctl", "daemon-reload")))
        if not now.is_enabled:
            actions.append(RunCommand(("systemctl", "enable", "--no-reload", self.name)))
        if now.active != "active":
            actions.append(RunCommand(("systemctl", "reset-failed", self.name), ok_codes=tuple(range(6))))
            actions.append(RunCommand(("systemctl", "start", self.name)))
        elif self._is_stale(state):
            restart = ("systemctl", "restart", self.name)
            actions.append(RunCommand(self.reload if self._can_reload(state) else restart))
        return *actions, remembered(record)

    def _is_stale(self, state: State) -> bool:
        known = state.made.get((self.kind, self.name))
        return known is None or known.spec != self.spec

    def _can_reload(self, state: State) -> bool:
        """True when it was begun from its file as it is, to the end."""
        known = state.made.get((self.kind, self.name))
        was_begun = known is not None and bool(known.spec)
        return bool(self.reload) and was_begun and not self._needs_daemon_reload(state)

    def _needs_daemon_reload(self, state: State) -> bool:
        """True for what systemd holds otherwise; a unit that neither runs nor is enabled is read when it starts."""
        now = state.unit(self.name)
        changes = self.file is not None and self.file.missing(state) is not None
        is_held = now.load == "loaded" and (now.active != "inactive" or now.is_enabled)
        return is_held and (now.is_outdated or changes)
