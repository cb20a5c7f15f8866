"""An image that an engine has, so that no start ever waits for a registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Look, Record, State
from gpumon_setup.host import Action, RunCommand, SendFile
from gpumon_setup.resources.image_archive import ArchivedImage
from gpumon_setup.resources.resource import Missing, remembered

_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Image:
    """An image, by its name with tag or digest."""

    kind: ClassVar[str] = "image"
    name: str
    engine: str = "docker"
    source: ArchivedImage | None = None
    """Where it is when no registry is asked; None to pull it."""

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
        if not names.isdisjoint(state.images):
            return None
        if self.source is None:
            return Missing(f"pull the image {self.name}")
        megabytes = max(1, round(self.source.alone(self.name).size / 1e6))
        return Missing(f"load the image {self.name} from {self.source.archive.name} ({megabytes:,} MB)")

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """Pulled; or sent, loaded, and looked for under its name."""
        del state
        record = remembered(Record(self.kind, self.name, component, detail=self.engine))
        if self.source is None:
            return record, RunCommand((self.engine, "pull", "-q", self.name), seconds=_SECONDS)
        # podman would copy what comes on its standard input to a disk once more.
        load = (self.engine, "load", "-q", *(("-i", "{}") if self.engine == "podman" else ()))
        known = RunCommand((self.engine, "image", "inspect", "--format={{.Id}}", self.name))
        return record, SendFile(self.source.alone(self.name), load, _SECONDS), known
