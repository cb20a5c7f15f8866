"""Unpacks Prometheus, node_exporter and VictoriaMetrics beside the system, of its own release and of the newest suite.

Needs apt-get and dpkg-deb but no root: apt keeps its lists in a folder of ours, nothing is installed, no service is
started. The newest suite's programs come with their own loader and C library, so they run on an older system.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "daemons"
PROGRAMS = ("prometheus", "prometheus-node-exporter", "victoria-metrics")
TOOLS = ("promtool",)
"""Programs that come along in this release's packages; the newest suite packs them apart."""
LIBRARIES = ("libc6", "libzstd1")
"""What the programs link to, for systems whose own is older."""
NEWEST_SUITE = {"Debian": "testing", "Ubuntu": "devel"}
COMPONENTS = {"Debian": "main", "Ubuntu": "main universe"}
KEYS = {"Debian": "debian-archive-keyring", "Ubuntu": "ubuntu-archive-keyring"}


class UnpackFailed(Exception):
    """The daemons of one release could not be had; the message says why."""


@dataclass(frozen=True)
class Archive:
    """One mirror of a distribution, as this machine's apt is set up to use it."""

    origin: str
    """"Debian" or "Ubuntu"."""
    url: str


class Apt:
    """apt-get with its state in one folder, and with the system's sources or one line of our own."""

    def __init__(self, folder: Path, source: str | None = None) -> None:
        self._folder = folder
        for name in ("state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._options = [
            f"Dir::State={folder}/state",
            "Dir::State::status=/dev/null",
            f"Dir::Cache={folder}/cache",
            "APT::Sandbox::User=root",
            "Acquire::Languages=none",
        ]
        if source is not None:
            (folder / "sources.list").write_text(source)
            self._options += [f"Dir::Etc::sourcelist={folder}/sources.list", "Dir::Etc::sourceparts=/dev/null"]

    def __call__(self, *arguments: str) -> str:
        """What apt-get printed; its complaints end in `UnpackFailed`."""
        options = [word for option in self._options for word in ("-o", option)]
        done = subprocess.run(
            ["apt-get", "-q", *options, *arguments],
            cwd=self._folder,
            text=True,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            check=False,
        )
        if done.returncode:
            raise UnpackFailed(f"apt-get {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def archives(self) -> Iterator[Archive]:
        """The distribution's own mirrors, as far as their lists were fetched."""
        told = self("indextargets", "--format", "$(ORIGIN) $(SUITE) $(CODENAME) $(REPO_URI)", "Created-By: Packages")
        for line in told.splitlines():
            origin, suite, codename, url = line.split()
            if origin in NEWEST_SUITE and "-" not in suite + codename:
                yield Archive(origin, url)


def newest_source(archive: Archive) -> str:
    """The line of a sources.list that leads to the newest suite on the same mirror."""
    keys = [Path(f"/usr/share/keyrings/{KEYS[archive.origin]}.{end}") for end in ("gpg", "pgp")]
    signed = next((f"[signed-by={path}] " for path in keys if path.exists()), "")
    return f"deb {signed}{archive.url} {NEWEST_SUITE[archive.origin]} {COMPONENTS[archive.origin]}\n"


def write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    """One file or link of a package, under another path; links stay within their folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member) if member.isfile() else None
    if content is None:
        path.symlink_to(Path(member.linkname).name)
        return
    with path.open("wb") as file:
        shutil.copyfileobj(content, file)
    path.chmod(member.mode & 0o755)


def unpack(package: Path, folder: Path) -> None:
    """Takes programs into folder/bin and libraries into folder/lib; the rest of a package is not needed."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as dpkg:
        with tarfile.open(fileobj=dpkg.stdout, mode="r|") as tar:
            for member in tar:
                path = Path(member.name)
                is_program = path.parent.name == "bin" and path.name in (*PROGRAMS, *TOOLS)
                is_library = ".so" in path.name and path.parent.name.endswith("-linux-gnu")
                if (is_program or is_library) and (member.isfile() or member.issym()):
                    write_member(tar, member, folder / ("bin" if is_program else "lib") / path.name)
        if dpkg.wait():
            raise UnpackFailed(f"dpkg-deb could not unpack {package.name}")


def fetch(apt: Apt, work: Path, packages: Sequence[str], target: Path) -> None:
    """Downloads packages and leaves their programs in `target`, all of them or none."""
    apt("download", *packages)
    ready = work / "ready"
    for package in sorted(work.glob("*.deb")):
        unpack(package, ready)
    (ready / "versions").write_text("".join(f"{p.stem}\n" for p in sorted(work.glob("*.deb"))))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    ready.rename(target)


def is_complete(release: str) -> bool:
    """Whether every program of a release is there."""
    wanted = (*PROGRAMS, *TOOLS) if release == "system" else PROGRAMS
    return all((CACHE / release / "bin" / name).exists() for name in wanted)


def own_release(work: Path) -> Archive | None:
    """Fetches this release's daemons if they are not there yet; answers with the mirror that has newer ones."""
    apt = Apt(work)
    apt("update")
    if not is_complete("system"):
        fetch(apt, work, PROGRAMS, CACHE / "system")
    return next(apt.archives(), None)


def newest_release(work: Path, archive: Archive) -> None:
    """Fetches the newest suite's daemons with their own C library."""
    apt = Apt(work, newest_source(archive))
    apt("update")
    fetch(apt, work, (*PROGRAMS, *LIBRARIES), CACHE / "newest")


def fill_cache() -> None:
    """Fetches what is missing.

    Raises:
        UnpackFailed: something could not be had.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnpackFailed("There is no apt-get or no dpkg-deb here, and nothing else brings the daemons.")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as own, tempfile.TemporaryDirectory(dir=CACHE) as newest:
        archive = own_release(Path(own))
        if archive is None:
            raise UnpackFailed("apt has no mirror of Debian or Ubuntu set up, so there is no way to the newest suite.")
        newest_release(Path(newest), archive)


def main() -> int:
    """Fills the cache, quickly when it is full; a failure is one only in CI, elsewhere tests skip."""
    if is_complete("system") and is_complete("newest"):
        return 0
    try:
        fill_cache()
    except UnpackFailed as failed:
        print(f"Daemons for the tests are missing. {failed}", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    for folder in ("system", "newest"):
        print(f"{folder}: {' '.join((CACHE / folder / 'versions').read_text().split())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
