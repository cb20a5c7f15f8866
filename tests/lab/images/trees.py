"""Lays out what layers hold: a C library with a shell, a Python, a program of the archive, a stand-in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab.archive import Apt
from lab.images.programs import STANDINS, Program
from lab.shell import script

LIBRARIES = ("libc6", "libzstd1", "busybox-static")
PYTHON = ("python3", "python3-yaml", "busybox-static")
APPLETS = ("sh", "cat", "ls", "wget", "ps", "id", "env", "sleep", "grep", "test", "mkdir", "tar")
STANDIN_SOURCES = Path(__file__).parents[1] / "standins"
PASSWD = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\ngrafana:x:472:0::/usr/share/grafana:/bin/sh\n"
UNPACK = r"""
# $1 where, $2 ... packages; with the links that make /bin, /lib and others one with those below /usr.
tree=$1
shift
mkdir -p $tree/usr/bin $tree/usr/sbin $tree/usr/lib $tree/usr/lib64
for name in bin sbin lib lib64; do ln -sfn usr/$name $tree/$name; done
for package in "$@"; do dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C $tree; done
"""
UNUSED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/bug",
    "var",
    "etc/init.d",
)


def lay_out_libraries(tree: Path, apt: Apt) -> None:
    """What a program of one suite is linked to, whatever the machine below has."""
    with tempfile.TemporaryDirectory() as work:
        _lay_out_system(tree, apt.download(LIBRARIES, Path(work) / "packages"))


def lay_out_python(tree: Path, apt: Apt) -> None:
    """A Python for stand-ins."""
    with tempfile.TemporaryDirectory() as work:
        _lay_out_system(tree, apt.download_with_dependencies(PYTHON, Path(work) / "packages"))


def _lay_out_system(tree: Path, packages: Sequence[Path]) -> None:
    script(UNPACK, tree, *packages)
    for name in UNUSED:
        shutil.rmtree(tree / name, ignore_errors=True)
    for applet in APPLETS:
        link = tree / "usr" / "bin" / applet
        if not link.exists():
            link.symlink_to("busybox")
    (tree / "etc").mkdir(exist_ok=True)
    (tree / "etc" / "passwd").write_text(PASSWD)
    (tree / "etc" / "group").write_text("root:x:0:\nnobody:x:65534:\n")
    (tree / "etc" / "nsswitch.conf").write_text("hosts: files dns\n")
    (tree / "tmp").mkdir(exist_ok=True)
    (tree / "tmp").chmod(0o1777)


def lay_out_program(tree: Path, apt: Apt, program: Program, apart: Sequence[str]) -> str:
    """A program's files alone; answers with its version."""
    with tempfile.TemporaryDirectory() as work:
        unpacked = Path(work) / "unpacked"
        fetched = apt.download((*program.packages, *apart), Path(work) / "packages")
        script(UNPACK, unpacked, *fetched)
        for source, target in program.files.items():
            (tree / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(unpacked / source, tree / target)
    for name, text in program.texts.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    for folder in program.folders:
        (tree / folder).mkdir(parents=True)
    package = next(file.name for file in fetched if file.name.startswith(f"{program.packages[0]}_"))
    return upstream_version(package.split("_")[1])


def upstream_version(version: str) -> str:
    """What the makers call a version of a Debian package, such as 3.5.3 for 3.5.3+ds1-6."""
    return version.rpartition("%3a")[2].partition("-")[0].partition("+")[0]


def lay_out_standin(tree: Path, name: str) -> None:
    """A stand-in's files alone."""
    standin = STANDINS[name]
    for source, target in standin.files.items():
        (tree / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(STANDIN_SOURCES / source, tree / target)
        (tree / target).chmod(0o755)
    for folder in standin.folders:
        (tree / folder).mkdir(parents=True)
