"""Prints the newest versions that pyproject.toml allows, for each Python found: the content of ci/constraints.txt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
BUILD = ("pip>=25.1", "hatchling>=1.27,<2", "editables")
"""What builds the package and what installs it; editable installs need the last one."""
HEADING = """\
# Exact versions for `make` and CI, for every Python that gpumon supports; `make constraints` writes this file.
"""


def interpreter(version: str) -> str | None:
    """A Python of that version, from the path or from pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *(str(p) for p in pyenv.glob(f"{version}.*/bin/python"))]
    for path in candidates:
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return path
    return None


def newest(python: str) -> dict[str, str]:
    """What pip would install with that Python if nothing held it back."""
    with tempfile.TemporaryDirectory() as folder:
        free = {k: v for k, v in os.environ.items() if k not in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")}
        pip = [f"{folder}/bin/python", "-m", "pip", "-qq"]
        subprocess.run([python, "-m", "venv", folder], check=True)
        subprocess.run([*pip, "install", "--upgrade", "pip"], check=True, env=free, stdout=sys.stderr)
        report = [*pip, "install", "--dry-run", "--ignore-installed", "--report", "-", "--group", "dev", ".", *BUILD]
        answer = subprocess.run(report, check=True, env=free, cwd=ROOT, stdout=subprocess.PIPE)
    packages = [item["metadata"] for item in json.loads(answer.stdout)["install"]]
    return {p["name"].lower().replace("_", "-"): p["version"] for p in packages if p["name"] != "gpumon-tui"}


def lines(chosen: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """One line a package, or one for each range of Pythons that need another version of it."""
    for name in sorted({name for packages in chosen.values() for name in packages}):
        steps = [(python, packages[name]) for python, packages in chosen.items() if name in packages]
        ranges = [step for i, step in enumerate(steps) if i == 0 or step[1] != steps[i - 1][1]]
        for i, (python, version) in enumerate(ranges):
            marks = [f'python_version >= "{python}"'] if i else []
            marks += [f'python_version < "{ranges[i + 1][0]}"'] if i + 1 < len(ranges) else []
            yield f"{name}=={version}" + ("; " + " and ".join(marks) if marks else "")


def main() -> int:
    """Asks every Python that is there; says which are not."""
    found = {version: path for version in PYTHONS if (path := interpreter(version))}
    for version in sorted(set(PYTHONS) - set(found)):
        print(f"No Python {version} here: its versions are not chosen.", file=sys.stderr)
    if not found:
        return 1
    print(HEADING + "\n".join(lines({version: newest(path) for version, path in found.items()})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
