"""`gpumon setup save-images`: every image that the cluster needs in one archive, by an engine on this machine."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from gpumon.text import shown
from gpumon_setup.failures import SetupError
from gpumon_setup.plan import architecture_of, wanted
from gpumon_setup.resources import Image, archived_images, whole_name
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import announce, is_agreed, narrate, put


def run(options: SetupOptions) -> int:
    """Asks the machines what they are, so that exactly what they need is pulled; nothing is done to them."""
    with opened(options) as session:
        announce(len(session.names))
        session.gather()
        needed, is_whole = _needed(session)
    if not needed:
        narrate("None of these machines needs an image.")
        return SetupCode.OK if is_whole else SetupCode.INCOMPLETE
    files = {architecture: _file(Path(options.file), architecture, needed) for architecture in needed}
    engine = _engine(needed, files)
    there = [str(file) for file in files.values() if file.exists()]
    if there and not options.yes and not is_agreed(f"Write {', '.join(there)} anew?"):
        narrate("Nothing was done.")
        return SetupCode.INCOMPLETE
    for architecture, names in needed.items():
        _save(engine, names, architecture, files[architecture])
        put([f"{files[architecture]}: {len(names)} images, {files[architecture].stat().st_size / 1e6:,.0f} MB"])
    path = files[next(iter(files))] if len(files) == 1 else Path(options.file).parent
    narrate(f"Next: gpumon setup --image-archive {path}")
    return SetupCode.OK if is_whole else SetupCode.INCOMPLETE


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


def _engine(needed: Mapping[str, Sequence[str]], files: Mapping[str, Path]) -> str:
    """What pulls and saves here; raises SetupError with what does so elsewhere."""
    reason = "neither docker nor podman is there"
    for engine in filter(shutil.which, ("docker", "podman")):
        done = _run(engine, "version")
        if done.returncode == 0:
            return engine
        reason = f"{engine} says: {shown(' '.join(done.stderr.split()).rstrip('.'), 300)}"
    lines = [
        line
        for architecture, names in needed.items()
        for line in (
            *(f"docker pull --platform linux/{architecture} {shlex.quote(name)}" for name in names),
            shlex.join(("docker", "save", "-o", str(files[architecture]), *names)),
        )
    ]
    raise SetupError(
        f"No engine can be used on this machine: {reason}.",
        advice="Where one can, and reaches a registry:\n" + "\n".join(f"  {line}" for line in lines),
    )


def _save(engine: str, names: Sequence[str], architecture: str, file: Path) -> None:
    """Pulls, saves, looks whether all is in it, and only then puts it in its place; raises SetupError."""
    before = {name for name in names if _run(engine, "image", "inspect", name).returncode == 0}
    fresh = file.with_name(f"{file.name}.new")
    try:
        for name in names:
            narrate(f"Pulling {name} for {architecture} …")
            _succeed(engine, "pull", "-q", "--platform", f"linux/{architecture}", name)
        narrate(f"Saving to {file} …")
        fresh.unlink(missing_ok=True)
        # podman would take further names for more names of the first image.
        _succeed(engine, "save", *(("-q", "-m") if engine == "podman" else ()), "-o", str(fresh), *names)
        held = {(image.name, image.architecture) for image in archived_images(fresh)}
        absent = [name for name in names if (whole_name(name), architecture) not in held]
        if absent:
            raise SetupError(f"{engine} saved no image {shown(', '.join(absent), 400)} for {architecture}.")
        fresh.replace(file)
    except OSError as error:
        raise SetupError(f"{file} cannot be written ({error.strerror}).") from None
    finally:
        fresh.unlink(missing_ok=True)
        for name in names:
            if name not in before:
                _run(engine, "image", "rm", name)


def _succeed(*argv: str) -> None:
    done = _run(*argv)
    if done.returncode:
        said = shown(" ".join(done.stderr.split()), 400) or f"it ended with {done.returncode}"
        raise SetupError(f"{' '.join(argv[:2])} {shown(argv[-1], 200)}: {said}")


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603  # no shell reads them
