"""`gpumon demo serve`: what is handed to the server, and what is said when it cannot listen."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a server that stands for the real one was told."""
    told: dict[str, Any] = {}

    def serve_forever(host: str, port: int, **settings: Any) -> None:
        told.update(settings, host=host, port=port)
        if port == 80:
            raise PermissionError(errno.EACCES, "Permission denied")
        settings["on_ready"](host, 12345)

    module = ModuleType("gpumon_demo.server")
    monkeypatch.setattr(module, "serve_forever", serve_forever, raising=False)
    monkeypatch.setitem(sys.modules, "gpumon_demo.server", module)
    return told


def test_size_seed_address_and_interval_are_handed_on(served: dict[str, Any], run: Run) -> None:
    said = run("demo", "serve", "--port", "0", "--nodes", "8", "--seed", "3", "--interval", "5")
    assert (served["host"], served["port"], served["nodes"], served["seed"]) == ("127.0.0.1", 0, 8, 3)
    assert served["interval_seconds"] == 5
    assert said.code == 0


def test_where_it_listens_is_told_with_demo(served: dict[str, Any], run: Run) -> None:
    said = run("demo", "serve")
    assert said.out == ""
    assert said.err.startswith("DEMO")
    assert "http://127.0.0.1:12345" in said.err


def test_an_address_that_cannot_be_had_is_one_sentence(served: dict[str, Any], run: Run) -> None:
    said = run("demo", "serve", "--port", "80")
    assert (said.code, said.out) == (2, "")
    assert said.err == "gpumon: cannot listen on 127.0.0.1:80: Permission denied.\n"
