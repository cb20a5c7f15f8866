"""`gpumon setup save-images`: every image that the cluster needs in one archive, by an engine here or there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_setup.failures import SetupError
from gpumon_setup.plan import architecture_of, wanted
from gpumon_setup.resources import Image, archived_images, whole_name
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import chosen_machines, opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.saving import Here, Said, There, Workplace
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import announce, is_agreed, narrate, put


def run(options: SetupOptions) -> int:
    """Asks the machines what they are, so that exactly what they need is pulled; nothing stays on any of them."""
    with opened(options) as session:
        place = _workplace(session, options)
        announce(len(session.names))
        session.gather()
        needed, is_whole = _needed(session)
        if not needed:
            narrate("None of these machines needs an image.")
            return SetupCode.OK if is_whole else SetupCode.INCOMPLETE
        files = {architecture: _file(Path(options.file), architecture, needed) for architecture in needed}
        engine = _engine(place, needed, files)
        there = [str(file) for file in files.values() if file.exists()]
        if there and not options.yes and not is_agreed(f"Write {', '.join(there)} anew?"):
            narrate("Nothing was done.")
            return SetupCode.INCOMPLETE
        for architecture, names in needed.items():
            _Saving(place, engine, names, architecture).into(files[architecture])
            size = files[architecture].stat().st_size / 1e6
            put([f"{files[architecture]}: {len(names)} images, {size:,.0f} MB"])
    path = files[next(iter(files))] if len(files) == 1 else Path(options.file).parent
    narrate(f"Next: gpumon setup --image-archive {path}")
    return SetupCode.OK if is_whole else SetupCode.INCOMPLETE


def _workplace(session: Session, options: SetupOptions) -> Workplace:
    """Where the engine is; raises UsageError."""
    if not options.on:
        return Here()
    names = chosen_machines(session.inventory, (options.on,), "--on")
    if len(names) != 1:
        raise UsageError("--on names one machine.")
    return There(session.fleet.host(*names))


def _needed(session: Session) -> tuple[Mapping[str, Sequence[str]], bool]:
    """The images by architecture, and whether all that is needed is known."""
    needed: dict[str, dict[str, None]] = {}
    is_whole = not session.failures
    for name, error in session.failures.items():
        narrate(f"What {name} needs is not known: {error}")
    for name in session.names:
        place = session.place(name)
        if place is None:
            continue
        wishes = wanted(place, session.components)
        for obstacle in wishes.obstacles:
            narrate(f"{name}: {obstacle}")
            is_whole = False
        for _, resource in wishes.resources:
            if isinstance(resource, Image):
                needed.setdefault(architecture_of(place), {})[resource.name] = None
    pinned = [image for names in needed.values() for image in names if "@" in image]
    if pinned:
        raise SetupError(
            f"{shown(', '.join(pinned), 600)}: no archive keeps a digest, so no machine would know the image by it.",
            advice="Name it by its tag alone.",
        )
    return {architecture: tuple(names) for architecture, names in needed.items()}, is_whole


def _file(wanted_file: Path, architecture: str, needed: Mapping[str, Sequence[str]]) -> Path:
    """Where the images of an architecture go; several have a file each, beside each other."""
    return wanted_file if len(needed) == 1 else wanted_file.with_name(f"{wanted_file.stem}-{architecture}.tar")


def _engine(place: Workplace, needed: Mapping[str, Sequence[str]], files: Mapping[str, Path]) -> str:
    """What pulls and saves; raises SetupError with what does so elsewhere."""
    reason = "neither docker nor podman is there"
    for engine in ("docker", "podman"):
        said = place.run(engine, "version")
        if said.is_success:
            return engine
        reason = f"{engine} says: {said.words}" if said.words else reason
    lines = [
        line
        for architecture, names in needed.items()
        for line in (
            *(f"docker pull --platform linux/{architecture} {shlex.quote(name)}" for name in names),
            shlex.join(("docker", "save", "-o", str(files[architecture]), *names)),
        )
    ]
    raise SetupError(
        f"No engine can be used on {place.where}: {reason}.",
        advice="Name a machine of the cluster that has one and reaches a registry, --on HOST; or type, where one is:\n"
        + "\n".join(f"  {line}" for line in lines),
    )


@dataclass(frozen=True)
class _Saving:
    """One archive in the making."""

    place: Workplace
    engine: str
    names: Sequence[str]
    architecture: str

    def into(self, file: Path) -> None:
        """Pulls, saves, looks whether all is in it, and only then puts it in its place; raises SetupError."""
        before = {name for name in self.names if self.place.run(self.engine, "image", "inspect", name).is_success}
        fresh = file.with_name(f"{file.name}.new")
        try:
            for name in self.names:
                narrate(f"Pulling {name} for {self.architecture} on {self.place.where} …")
                platform = f"linux/{self.architecture}"
                self._succeed(self.place.run(self.engine, "pull", "-q", "--platform", platform, name), f"pull {name}")
            narrate(f"Saving to {file} …")
            fresh.unlink(missing_ok=True)
            # podman would take further names for more names of the first image.
            options = ("-q", "-m") if self.engine == "podman" else ()
            self._succeed(self.place.bring(fresh, self.engine, "save", *options, "-o", "{}", *self.names), "save")
            self._look(fresh)
            fresh.replace(file)
        except OSError as error:
            raise SetupError(f"{file} cannot be written ({error.strerror}).") from None
        finally:
            fresh.unlink(missing_ok=True)
            for name in self.names:
                if name not in before:
                    self.place.run(self.engine, "image", "rm", name)

    def _look(self, file: Path) -> None:
        held = {(image.name, image.architecture) for image in archived_images(file)}
        absent = [name for name in self.names if (whole_name(name), self.architecture) not in held]
        if absent:
            raise SetupError(f"{self.engine} saved no image {shown(', '.join(absent), 400)} for {self.architecture}.")

    def _succeed(self, said: Said, what: str) -> None:
        if not said.is_success:
            raise SetupError(f"{self.engine} {shown(what, 200)} on {self.place.where}: {said.words}.")
