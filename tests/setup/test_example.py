"""The example's [setup]: it names every key of every component, and each of its values can be used."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpumon_setup.components import COMPONENTS
from gpumon_setup.inventory import load_inventory
from gpumon_setup.inventory.keys import MACHINE, setup_keys

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
WHOLE = re.sub(r"^#(?=\S)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
"""With every key that the example only mentions."""
SETUP: Mapping[str, Any] = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli").loads(WHOLE)[
    "setup"
]
KEYS = {component.name: component.keys for component in COMPONENTS}


def test_the_example_names_every_key_of_the_setup() -> None:
    sections = {name for name, keys in KEYS.items() if keys}
    assert set(SETUP) == {key.name for key in setup_keys(tuple(KEYS))} | sections | {"machines"}
    for name in sections:
        assert set(SETUP[name]) == {key.name for key in KEYS[name]}, name
    for machine in SETUP["machines"].values():
        assert set(machine) == {key.name for key in MACHINE}


def test_every_value_of_the_example_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(WHOLE)
    inventory = load_inventory(file, KEYS)
    assert inventory.master.name == "head"
    assert [machine.name for machine in inventory.machines][:3] == ["head", "slurm", "gpu01"]
