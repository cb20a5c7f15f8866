"""The page of keys in the documentation."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from textual.dom import DOMNode

import gpumon_tui
from gpumon_tui.bindings import PLACES

ROOT = Path(__file__).parents[2]
PACKAGE = Path(gpumon_tui.__file__).parent


def _keys_page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("keys_page", ROOT / "ci" / "keys_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_keys_is_what_the_bindings_say() -> None:
    assert (ROOT / "docs" / "keys.md").read_text(encoding="utf-8") == _keys_page().page(), "run `make picture`"


def test_no_key_of_ours_is_missing_on_the_page() -> None:
    for file in PACKAGE.rglob("*.py"):
        importlib.import_module(".".join(("gpumon_tui", *file.relative_to(PACKAGE).with_suffix("").parts)))
    told = {owner for owners in PLACES.values() for owner in owners}
    assert {each for each in _ours(DOMNode) if each.__dict__.get("BINDINGS")} == told


def _ours(base: type[DOMNode]) -> set[type[DOMNode]]:
    """Every class of the dashboard itself; tests make classes of their own."""
    below = {each for kind in base.__subclasses__() for each in (kind, *_ours(kind))}
    return {each for each in below if each.__module__.startswith("gpumon_tui.")}
