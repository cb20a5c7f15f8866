"""gpumon-slurm-exporter as one file for a machine's own python3, packed from what is installed here."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from gpumon_setup.components.component import CannotHave, Place

FOLDER = "/usr/local/lib/gpumon"
PROGRAM = f"{FOLDER}/slurm-exporter.pyz"
"""Where it lies on a machine."""
OLDEST_PYTHON = (3, 9)
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = b"""import sys

from gpumon_exporter.main import main

sys.exit(main())
"""
_PACKAGES = ("gpumon_exporter", "prometheus_client")
_NEED_OTHERS = frozenset({"aiohttp", "bridge", "django", "twisted"})
"""Parts of prometheus_client that need other libraries."""
_WHEN = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


@cache
def packed() -> bytes:
    """The file. The same code gives the same bytes on every machine, or each would replace the other's.

    So it is not compressed: how well that goes differs between versions of zlib.
    """
    out = io.BytesIO(_SHEBANG)
    out.seek(0, io.SEEK_END)
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for name, content in sorted(_contents()):
            entry = ZipInfo(name, _WHEN)
            entry.create_system, entry.external_attr = _UNIX, 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def python_for(place: Place, component: str) -> str:
    """The python3 that runs it on a machine, as a unit of systemd names it.

    Raises:
        CannotHave: there is none that is new enough.
    """
    named = place.option(component, "python")
    if isinstance(named, str):
        return named
    oldest = ".".join(map(str, OLDEST_PYTHON))
    version = place.facts.python
    if version is None or version < OLDEST_PYTHON:
        found = f"its python3 is {'.'.join(map(str, version))}" if version else "it has no python3"
        raise CannotHave(
            f"{component} needs Python {oldest} or newer, and {found}; install one beside it and name it: "
            f'[setup.{component}] python = "/usr/bin/python3.11".'
        )
    return "/usr/bin/env python3"


def _contents() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN
    for package in _PACKAGES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            yield from _modules(Path(folder), package)
    yield from _licence("prometheus-client")


def _modules(folder: Path, package: str) -> Iterator[tuple[str, bytes]]:
    for file in folder.rglob("*.py"):
        name = file.relative_to(folder)
        if not _NEED_OTHERS & {*name.parts}:
            yield f"{package}/{name.as_posix()}", file.read_bytes()


def _licence(library: str) -> Iterator[tuple[str, bytes]]:
    """What must go with the library's code, where it is known: a distribution's own package tells no files."""
    from importlib.metadata import PackageNotFoundError, distribution  # slow to load, and for one machine alone

    try:
        told = distribution(library).files or ()
    except PackageNotFoundError:
        return
    for file in told:
        if file.name.upper().startswith(("LICENSE", "NOTICE")):
            yield file.as_posix(), file.read_binary()
