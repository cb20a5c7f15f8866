"""An image that an engine has, so that no start ever waits for a registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Look, Record, State
from gpumon_setup.host import Action, RunCommand
from gpumon_setup.resources.resource import Missing, remembered

_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Image:
    """An image, by its name with tag or digest."""

    kind: ClassVar[str] = "image"
    name: str
    engine: str = "docker"

    @property
    def key(self) -> str:
        """Its name."""
        return self.name

    def look(self, state: State) -> Look:
        """All images are known from the start."""
        del state
        return Look()

    def missing(self, state: State) -> Missing | None:
        """Not there."""
        # docker leaves its own registry's name away, podman adds it.
        names = {self.name, f"docker.io/{self.name}", self.name.removeprefix("docker.io/")}
        return Missing(f"pull the image {self.name}") if names.isdisjoint(state.images) else None

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """Pulled."""
        del state
        record = Record(self.kind, self.name, component, detail=self.engine)
        return remembered(record), RunCommand((self.engine, "pull", "-q", self.name), seconds=_SECONDS)
