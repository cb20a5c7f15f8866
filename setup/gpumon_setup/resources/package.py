"""A package of the distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Look, Record, State
from gpumon_setup.host import Action, RunCommand
from gpumon_setup.resources.resource import Missing, remembered

_APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold"
_INSTALL = f"""install() {{ {_APT} install -y --no-install-recommends "$1"; }}
install "$1" || {{ {_APT} update && install "$1"; }}"""
_PURGE = f"""go() {{ apt-get -s "$@" | sed -n -e 's/^Purg \\([^ ]*\\).*/\\1/p' -e 's/^Remv \\([^ ]*\\).*/\\1/p'; }}
before=" $(go autoremove | tr '\\n' ' ') "
for name in $(go purge --autoremove "$1"); do case $before in *" $name "*) ;; *) set -- "$@" "$name" ;; esac; done
{_APT} purge -y "$@\""""
"""What it brought along goes with it, as far as nobody else needs it; what nobody needed before stays."""
_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is installed, in whichever version the distribution has."""

    kind: ClassVar[str] = "package"
    name: str
    tool: str = "apt-get"
    """"apt-get", "dnf" or "zypper": what the machine has."""
    cure: str = ""
    """What to do where apt finds no such package; "" for one that every archive has."""

    @property
    def key(self) -> str:
        """Its name."""
        return self.name

    def look(self, state: State) -> Look:
        """Whether it is installed; where not, and not every archive has it, whether it could be."""
        name = frozenset({self.name})
        asks = self.tool == "apt-get" and self.cure and state.packages.get(self.name) == ""
        return Look(packages=name, offers=name if asks else frozenset())

    def missing(self, state: State) -> Missing | None:
        """Not installed."""
        if state.packages.get(self.name):
            return None
        return Missing(
            f"install the package {self.name}", obstacle=self.cure if state.offered.get(self.name) is False else ""
        )

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """Installed without what it merely recommends; configuration files that stand there stay."""
        del state
        argv = (
            ("sh", "-c", _INSTALL, "sh", self.name)
            if self.tool == "apt-get"
            else (self.tool, "-y", "install", self.name)
        )
        return remembered(Record(self.kind, self.name, component, detail=self.tool)), RunCommand(argv, seconds=_SECONDS)


def removing(record: Record) -> RunCommand:
    """What takes a package away that we brought."""
    if record.detail == "apt-get":
        return RunCommand(("sh", "-c", _PURGE, "sh", record.key), seconds=_SECONDS)
    return RunCommand((record.detail, "-y", "remove", record.key), seconds=_SECONDS)
