"""gpumon itself, of this clone, for machines that are to have it installed, with the packages that it depends on."""

from __future__ import annotations

import importlib
import inspect
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.cached import is_made, made_by, making, recipe
from lab.failures import LabFailed
from lab.layers import Layers

REPOSITORY = Path(__file__).parents[2]
SITE = Path("opt/gpumon/site")
"""Where it is on a machine."""
COMMAND = """\
#!/usr/bin/python3
import sys

sys.path.insert(0, "/{site}")

from {module} import {function}

sys.exit({function}())
"""
COMPILE = f"python3 -m compileall -q -j0 /{SITE}"


def build(layers: Layers) -> Path:
    """The dependencies, made for the Python of the machines; wheels alone, so nothing is compiled."""
    project = _project()
    wanted = [str(word) for word in project["dependencies"]]
    version = python_version(layers)
    constraints = REPOSITORY / "ci" / "constraints.txt"
    folder = layers.folder / "gpumon"
    base = made_by(layers.layer("base"))
    by = recipe(wanted, constraints.read_text(), version, base, inspect.getsource(sys.modules[__name__]))
    if not is_made(folder, by):
        with making(folder, by) as unfinished:
            chosen = (
                "--quiet",
                "--no-compile",
                "--only-binary=:all:",
                "--implementation=cp",
                "--python-version",
                version,
            )
            _pip("install", *chosen, "--constraint", str(constraints), "--target", str(unfinished / SITE), *wanted)
            layers.run_on_top("base", unfinished, COMPILE)
    return folder


def python_version(layers: Layers) -> str:
    """Of the machines' python3, such as 3.13."""
    return (layers.layer("base") / "usr" / "bin" / "python3").readlink().name.removeprefix("python")


def copy_sources(folder: Path) -> None:
    """Lays this clone's packages and commands out in a layer of their own."""
    packages = _toml()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for package in packages:
        source = REPOSITORY / package
        shutil.copytree(source, folder / SITE / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    commands = folder / "usr" / "local" / "bin"
    commands.mkdir(parents=True)
    for name, target in _project()["scripts"].items():
        module, _, function = str(target).partition(":")
        (commands / name).write_text(COMMAND.format(site=SITE, module=module, function=function))
        (commands / name).chmod(0o755)


def _toml() -> dict[str, Any]:
    parser = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    parsed: dict[str, Any] = parser.loads((REPOSITORY / "pyproject.toml").read_text())
    return parsed


def _project() -> dict[str, Any]:
    project: dict[str, Any] = _toml()["project"]
    return project


def _pip(*arguments: str) -> None:
    own = REPOSITORY / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    done = subprocess.run([python, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabFailed(f"pip {' '.join(arguments)}: {done.stderr.strip()}")
