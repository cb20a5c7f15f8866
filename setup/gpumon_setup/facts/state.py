"""What stands on a machine now, as far as it was looked at: files, containers, units, packages, and what we made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from gpumon_setup.host import digest_of

MADE = "/var/lib/gpumon/setup/made"
"""Where a machine keeps one small record of each thing that gpumon made there: only these are ever removed."""
BEFORE = "/var/lib/gpumon/setup/before"
"""Where copies of files wait that stood in our place, to return when we go."""


@dataclass(frozen=True, slots=True)
class FileState:
    """One path."""

    path: str
    is_there: bool = False
    mode: int = 0
    owner: str = ""
    """As "user:group", by name."""
    owner_ids: str = ""
    """As "user:group", by number."""
    digest: str = ""
    """The SHA-256 of its content; "" for what is no file."""
    content: bytes | None = None
    """None when it was not asked for, or is too long."""
    is_long: bool = False
    """True when it is longer than 1 MiB."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """One unit of systemd."""

    name: str
    load: str = "not-found"
    """As systemd says: "loaded", "not-found", "masked"."""
    active: str = "inactive"
    """As systemd says: "active", "inactive", "failed", "activating"."""
    is_enabled: bool = False
    """True when it comes back after a reboot."""
    is_outdated: bool = False
    """True when its file changed since systemd read it."""


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container, of whichever engine."""

    name: str
    engine: Literal["docker", "podman"]
    is_running: bool
    image: str
    spec: str = ""
    """The hash of what it was made from, by our label; "" without one."""
    is_ours: bool = False
    """True when it carries our mark."""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that gpumon made on a machine, as the machine remembers it."""

    kind: str
    """"file", "block", "directory", "container", "unit", "package", ..."""
    key: str
    """What it is called among its kind: a path, a name."""
    component: str
    """Which part of the stack it belongs to."""
    spec: str = ""
    """The hash of what it was made from, once it was made."""
    detail: str = ""
    """What it was made from, in words that can be compared; never a secret."""
    backup: str = ""
    """Where a copy of what stood there before waits; "" for nothing."""

    @property
    def path(self) -> str:
        """Where the machine keeps it."""
        return f"{MADE}/{self.kind}-{digest_of(self.key.encode())[:16]}.json"

    def encoded(self) -> bytes:
        """As it is kept: one line, kind and key first, since the probe looks for them there."""
        fields = {"kind": self.kind, "key": self.key, "component": self.component, "spec": self.spec}
        return (
            json.dumps({**fields, "detail": self.detail, "backup": self.backup}, separators=(",", ":")) + "\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be looked at on a machine."""

    files: frozenset[str] = frozenset()
    """Paths, by digest, mode and owner."""
    contents: frozenset[str] = frozenset()
    """Paths whose content is wanted too."""
    units: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    offers: frozenset[str] = frozenset()
    """Packages of which it is asked whether apt would find them."""

    def __or__(self, other: Look) -> Look:
        return Look(
            self.files | other.files,
            self.contents | other.contents,
            self.units | other.units,
            self.packages | other.packages,
            self.offers | other.offers,
        )

    def __bool__(self) -> bool:
        return bool(self.files or self.contents or self.units or self.packages or self.offers)


@dataclass(frozen=True)
class State:
    """Everything that was looked at on one machine."""

    files: Mapping[str, FileState] = field(default_factory=dict[str, FileState])
    units: Mapping[str, UnitState] = field(default_factory=dict[str, UnitState])
    packages: Mapping[str, str] = field(default_factory=dict[str, str])
    """Versions by name; "" for what is not installed."""
    offered: Mapping[str, bool | None] = field(default_factory=dict[str, "bool | None"])
    """Whether apt would find a package, by name; None where that cannot be told."""
    containers: Mapping[str, ContainerState] = field(default_factory=dict[str, ContainerState])
    """All there are, by name."""
    images: frozenset[str] = frozenset()
    """All there are, by name and by id."""
    made: Mapping[tuple[str, str], Record] = field(default_factory=dict[tuple[str, str], Record])
    """What gpumon made there, by kind and key."""
    shared: frozenset[str] = frozenset()
    """All that is in folders where programs of ours stand among others'."""

    def unknown(self, look: Look) -> Look:
        """The part of `look` that nothing is known of yet."""
        return Look(
            look.files - self.files.keys(),
            frozenset(path for path in look.contents if not self._was_read(path)),
            look.units - self.units.keys(),
            look.packages - self.packages.keys(),
            look.offers - self.offered.keys(),
        )

    def with_more(self, other: State) -> State:
        """This and what was looked at later."""
        return replace(
            self,
            files={**self.files, **other.files},
            units={**self.units, **other.units},
            packages={**self.packages, **other.packages},
            offered={**self.offered, **other.offered},
        )

    def file(self, path: str) -> FileState:
        """The state of a path that was looked at."""
        return self.files.get(path) or FileState(path)

    def unit(self, name: str) -> UnitState:
        """The state of a unit that was looked at."""
        return self.units.get(name) or UnitState(name)

    def _was_read(self, path: str) -> bool:
        state = self.files.get(path)
        return state is not None and (state.content is not None or not state.digest or state.is_long)
