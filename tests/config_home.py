"""A home directory for tests of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpumon.config import load_settings
from gpumon.errors import ConfigError
from gpumon.settings import Settings


class ConfigHome:
    """An empty home directory, and no configuration of the machine's own."""

    def __init__(self, directory: Path) -> None:
        self.path = directory
        self.file = directory / "gpumon.toml"
        self.environ = {"HOME": str(directory), "PATH": "/usr/bin:/bin"}

    def load(self, text: str | bytes, cluster: str | None = None, **environ: str) -> Settings:
        """The settings that a file with `text` means."""
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_settings(self.file, cluster=cluster, environ={**self.environ, **environ})

    def mistakes(self, text: str | bytes, cluster: str | None = None, **environ: str) -> list[str]:
        """What is said about such a file, without its name."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, cluster, **environ)
        start = f"{self.file}: "
        assert all(line.startswith(start) and line.endswith((".", "?")) for line in caught.value.mistakes)
        return [line.removeprefix(start) for line in caught.value.mistakes]

    def write(self, name: str, text: str) -> Path:
        """A file in the home directory."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path
