"""A user with one key, and an sshd that lets that user in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from setup.sshd import Client, Sshd, client, sshd


@pytest.fixture
def user(tmp_path: Path) -> Client:
    return client(tmp_path / "user")


@pytest.fixture
def server(tmp_path: Path, user: Client) -> Iterator[Sshd]:
    with sshd(tmp_path / "server", user) as started:
        user.knows(started.known())
        yield started
