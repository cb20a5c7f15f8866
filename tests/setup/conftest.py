"""Fixtures for tests of the setup."""

import pytest

from gpumon_setup.host import script
from setup.deployments import cluster

__all__ = ["cluster"]


@pytest.fixture(autouse=True)
def lock_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test's machines are worked on by that test alone, and by whoever runs it."""
    monkeypatch.setattr(script, "WORK", str(tmp_path_factory.mktemp("locked") / "work lock"))
