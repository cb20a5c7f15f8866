"""What runs the containers, from the distribution's own packages, where a machine has nothing and is to get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gpumon.config.keys import Key
from gpumon_setup.components.component import Place
from gpumon_setup.inventory.keys import yes_or_no
from gpumon_setup.resources import Package, Resource

PACKAGES = {"docker": "docker.io", "podman": "podman"}
"""Of Debian and Ubuntu, by engine."""


class ContainerEngine:
    """Brought only when asked for, and taken away only with all that gpumon made."""

    name: ClassVar[str] = "container_engine"
    purpose: ClassVar[str] = "what runs the containers"
    keys: ClassVar[tuple[Key, ...]] = (Key("install", yes_or_no, "install"),)

    def wanted(self, place: Place) -> Sequence[Resource]:
        """The package, where nothing runs containers, or where it was brought before."""
        package = PACKAGES.get(place.engine)
        if package is None:
            return ()
        was_brought = ("package", package) in place.facts.state.made
        is_absent = place.facts.engine(place.engine) is None
        asked = bool(place.option(self.name, "install")) and "apt-get" in place.facts.commands
        return (Package(package),) if was_brought or (is_absent and asked) else ()
