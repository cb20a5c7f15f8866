"""What tests of the core share: a home for configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from config_home import ConfigHome
from gpumon.config import loading


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConfigHome:
    """An empty home directory, on a machine without a configuration of its own."""
    monkeypatch.setattr(loading, "SYSTEM_FILE", tmp_path / "etc/gpumon/config.toml")
    return ConfigHome(tmp_path)
