"""Packs gpumon-slurm-exporter and prometheus_client into one file that a bare python3 runs: exporter_zipapp.py FILE."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EXPORTER = Path(__file__).parent.parent / "exporter"
MAIN = b"""import sys

from gpumon_exporter.main import main

sys.exit(main())
"""
SHEBANG = b"#!/usr/bin/env python3\n"
NEED_OTHERS = ("aiohttp", "bridge", "django", "twisted")
WHEN = (1980, 1, 1, 0, 0, 0)  # the same for everybody, so that the same code gives the same file


def contents() -> dict[str, bytes]:
    """Everything that goes in, by its name there."""
    packed = {"__main__.py": MAIN}
    packed.update((file.relative_to(EXPORTER).as_posix(), file.read_bytes()) for file in EXPORTER.rglob("*.py"))
    packed.update(_prometheus_client())
    return packed


def _prometheus_client() -> Iterator[tuple[str, bytes]]:
    """The library's modules and its licence, without what needs other libraries."""
    library = distribution("prometheus-client")
    for file in library.files or ():
        name = file.as_posix()
        is_code = file.suffix == ".py" and not any(f"/{part}/" in name for part in NEED_OTHERS)
        if is_code or file.name.upper().startswith(("LICENSE", "NOTICE", "METADATA")):
            yield name, file.read_binary()


def pack(target: Path) -> None:
    """Writes the file, the same bytes from the same code."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        out.write(SHEBANG)
        with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content in sorted(contents().items()):
                entry = ZipInfo(name, WHEN)
                entry.compress_type = ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, content)
    target.chmod(0o755)


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
