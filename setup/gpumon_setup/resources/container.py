"""A container that runs, and comes back after a reboot; made anew only when what it is made from changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import ContainerState, Look, Record, State
from gpumon_setup.host import Action, RunCommand, digest_of
from gpumon_setup.resources.resource import Missing, difference, remembered

DOCKER = "docker"
KEPT = ("--restart=unless-stopped", "--log-opt=max-size=10m", "--log-opt=max-file=3")
"""Docker keeps the container running, and its log short."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container that docker keeps. Everything in it takes part in its spec, so a change of anything makes it anew."""

    kind: ClassVar[str] = "container"
    name: str
    """Two characters at least; ours begin with "gpumon-"."""
    image: str
    """With its tag or digest."""
    command: tuple[str, ...] = ()
    """Behind the image: the arguments of its program."""
    volumes: tuple[str, ...] = ()
    """As -v takes them."""
    environment: tuple[tuple[str, str], ...] = ()
    """Never a secret: docker shows it to everybody."""
    options: tuple[str, ...] = ()
    """More flags of docker run: "--pid=host", "--gpus=all", "--cap-add=SYS_ADMIN"."""
    user: str = ""
    """User and group inside, by number; "" for the image's own."""
    is_read_only: bool = True
    capabilities: tuple[str, ...] = ()
    """All others are taken away."""
    reads: tuple[str, ...] = ()
    """Digests of files that it reads only when it starts."""
    signal: str = ""
    """By which it reads them anew while it runs, such as "HUP"; "" to make it anew."""

    @property
    def key(self) -> str:
        """Its name."""
        return self.name

    @property
    def spec(self) -> str:
        """The hash of all that it is made from."""
        return digest_of(self.described().encode())

    def described(self) -> str:
        """All that it is made from, one a line, so that two can be compared."""
        return "\n".join((*self.flags(), *KEPT, self.image, *self.command, *(() if self.signal else self.reads)))

    def flags(self) -> tuple[str, ...]:
        """The flags of docker run and podman run alike, but for name, marks and what keeps it alive."""
        return (
            "--network=host",
            "--cap-drop=ALL",
            *(f"--cap-add={name}" for name in self.capabilities),
            "--security-opt=no-new-privileges",
            *(("--read-only",) if self.is_read_only else ()),
            *((f"--user={self.user}",) if self.user else ()),
            *(f"--env={name}={value}" for name, value in self.environment),
            *(f"--volume={volume}" for volume in self.volumes),
            *self.options,
        )

    def look(self, state: State) -> Look:
        """All containers are known from the start."""
        del state
        return Look()

    def missing(self, state: State) -> Missing | None:
        """None of its name, one made from something else, or one that stands still."""
        now = state.containers.get(self.name)
        known = state.made.get((self.kind, self.name))
        if now is not None and not now.is_ours:
            return Missing(
                f"run the container {self.name}",
                obstacle=f"a container {self.name} is there that gpumon did not make; rename or remove it.",
            )
        if now is None:
            return Missing(f"run the container {self.name} ({self.image})", self._diff(""))
        if now.spec != self.spec:
            return Missing(
                f"make the container {self.name} anew ({self.image})", self._diff(known.detail if known else "")
            )
        if not now.is_running:
            return Missing(f"start the container {self.name}")
        is_stale = self.signal and (known is None or known.detail != self._detail)
        return Missing(f"let {self.name} read its files anew") if is_stale else None

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """The elder container goes first: the two would fight for one port."""
        now = state.containers.get(self.name)
        record = Record(self.kind, self.name, component, self.spec, self._detail)
        if now is not None and now.spec == self.spec and now.is_running:
            return RunCommand((DOCKER, "kill", f"--signal={self.signal}", self.name)), remembered(record)
        if now is not None and now.spec == self.spec:
            return remembered(record), RunCommand((DOCKER, "start", self.name))
        return (
            remembered(record),
            *(stopping(now) if now is not None else ()),
            RunCommand((DOCKER, "run", "-d", f"--name={self.name}", *self._marks(component), *KEPT, *self.flags(),
                        self.image, *self.command)),
        )  # fmt: skip

    @property
    def _detail(self) -> str:
        """All that it is made from, and what it read."""
        return "\n".join((self.described(), *(self.reads if self.signal else ())))

    def _marks(self, component: str) -> Iterator[str]:
        yield from ("--label=io.gpumon.managed=1", f"--label=io.gpumon.spec={self.spec}")
        yield f"--label=io.gpumon.component={component}"

    def _diff(self, before: str) -> str:
        return difference(self.name, before.encode(), self._detail.encode())


def stopping(container: ContainerState) -> tuple[RunCommand, ...]:
    """What takes a container of ours away; its process gets ten seconds to write down what it holds."""
    return (
        RunCommand((container.engine, "stop", container.name), ok_codes=(0, 1)),
        RunCommand((container.engine, "rm", "-f", "-v", container.name)),
    )
