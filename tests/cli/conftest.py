"""What every test of the command needs: no configuration from outside, and a source that the test chooses."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli_handmade import HandmadeSource, cluster
from gpumon.errors import GpumonError
from gpumon.model import ClusterSnapshot
from gpumon_cli import sources
from gpumon_cli.main import main


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """A command that ends soon leaves garbage alone; this process goes on."""
    yield
    gc.enable()


@dataclass
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_configuration_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever runs the tests may have a configuration of their own."""
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    monkeypatch.setenv("GPUMON_CONFIG", str(empty))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


Given = Callable[..., HandmadeSource]
Run = Callable[..., Said]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Chooses the pictures that the command will read."""

    def give(*pictures: ClusterSnapshot | GpumonError) -> HandmadeSource:
        source = HandmadeSource(*(pictures or (cluster(),)))

        def source_of(*_: object) -> HandmadeSource:
            return source

        monkeypatch.setattr(sources, "source_of", source_of)
        return source

    return give


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `gpumon` in this process."""

    def run_command(*typed: str) -> Said:
        code = main(typed)
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return run_command
