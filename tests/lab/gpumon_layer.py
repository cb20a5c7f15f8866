"""gpumon itself, of this clone, for machines that are to have it installed, with the packages that it depends on."""

from __future__ import annotations

import importlib
import inspect
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.cached import is_made, making, recipe
from lab.failures import LabFailed
from lab.layers import Layers

REPOSITORY = Path(__file__).parents[2]
CONSTRAINTS = REPOSITORY / "ci" / "constraints.txt"
SITE = Path("opt/gpumon/site")
"""Where it is on a machine."""
COMMAND = """\
#!/usr/bin/python3
import sys

sys.path.insert(0, "/{site}")

from {module} import {function}

sys.exit({function}())
"""
COMPILE = f"python3 -m compileall -q /{SITE}"


def layer(layers: Layers) -> Path:
    """Where the dependencies are, made for the Python of the machines."""
    return layers.folder / f"gpumon-{_recipe(layers)}"


def build(layers: Layers) -> None:
    """Installs the dependencies from wheels alone, so nothing is compiled but Python."""
    folder = layer(layers)
    if is_made(folder, _recipe(layers)):
        return
    with making(folder, _recipe(layers)) as unfinished:
        their = ("--only-binary=:all:", "--implementation=cp", "--python-version", python_version(layers))
        into = ("--quiet", "--no-compile", "--target", str(unfinished / SITE))
        _pip("install", *their, *into, "--constraint", str(CONSTRAINTS), *_project()["dependencies"])
        layers.run_on_top("base", unfinished, COMPILE)


def _recipe(layers: Layers) -> str:
    own = inspect.getsource(sys.modules[__name__])
    return recipe(_project()["dependencies"], CONSTRAINTS.read_text(), layers.recipe("base"), own)


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
