"""The example configuration: it names every key, explains it, and can be used as it is."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from msgspec.structs import fields

from config_home import ConfigHome
from gpumon.config import load_settings
from gpumon.config.checking import Fields
from gpumon.config.keys import PROFILE, PROFILE_SECTIONS, SECTIONS, TOP, UNITS, Key
from gpumon.settings import PrometheusSettings, Settings, Thresholds, TuiSettings
from gpumon.units import Units

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
WHOLE = re.sub(r"^#(?=\S)", "", TEXT, flags=re.MULTILINE)
"""With every key that the example only mentions."""
WHOLE_TREE = cast("Fields", importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli").loads(WHOLE))


def names(keys: tuple[Key, ...]) -> set[str]:
    """What keys are called."""
    return {key.name for key in keys}


def test_the_example_as_it_is_means_the_defaults(home: ConfigHome) -> None:
    settings = load_settings(EXAMPLE, environ=home.environ)
    assert settings == Settings(file=EXAMPLE)


def test_the_example_names_every_key() -> None:
    tree = dict(WHOLE_TREE)
    clusters: Mapping[str, Any] = tree.pop("clusters")
    del tree["setup"]  # whose components have keys of their own
    for section, keys in SECTIONS.items():
        assert set(tree.pop(section)) == names(keys)
    assert set(tree) == names(TOP)
    for profile in clusters.values():
        assert set(profile) == names(PROFILE) | set(PROFILE_SECTIONS)


def test_every_form_of_a_secret_is_in_the_example() -> None:
    for form in ("{ file =", "{ env =", "{ command = ["):
        assert form in TEXT


def test_every_key_of_the_example_can_be_set(home: ConfigHome) -> None:
    for name in ("password", "ca.pem", "client.pem", "client.key"):
        home.write(name, "hush")
    environ = {"GPUMON_API_KEY": "hush", "GPUMON_WEST_TOKEN": "hush"}
    without_token = re.sub(r"(?m)^bearer_token = \{ command.*\n", "", WHOLE)
    assert home.load(without_token, **environ).cluster == "west"
    home.load(without_token.replace('default_cluster = "west"', ""), **environ)
    (line,) = home.mistakes(WHOLE, **environ)
    assert "one or the other" in line


def lines_above_keys() -> Iterator[tuple[str, str]]:
    """Each key's line, and the line before it that is no key."""
    said = ""
    for line in TEXT.splitlines():
        if re.match(r"#?[a-z_]+ = ", line):
            yield line, said
        else:
            said = line


def test_every_key_is_explained_in_a_sentence() -> None:
    for line, said in lines_above_keys():
        assert said.startswith("# "), line
        assert said.endswith((".", ",", "...")), line


def test_every_setting_can_be_set_by_some_key() -> None:
    def filled(keys: tuple[Key, ...]) -> set[str]:
        return {key.field for key in keys}

    assert filled(SECTIONS["prometheus"]) == {field.name for field in fields(PrometheusSettings)}
    assert filled(SECTIONS["thresholds"]) == {field.name for field in fields(Thresholds)}
    assert filled(SECTIONS["tui"]) == {field.name for field in fields(TuiSettings)}
    assert filled(UNITS) == {field.name for field in fields(Units)}
    rest = {field.name for field in fields(Settings)} - set(SECTIONS) - {"cluster", "file"}
    assert filled(TOP) - {"default_cluster"} == rest
