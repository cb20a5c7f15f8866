"""Every kind of bad input, typed at the command: one clear sentence, code 2 or 3, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], str]:
    """Writes a configuration and says where."""

    def write(text: str) -> str:
        path = tmp_path / "gpumon.toml"
        path.write_text(text)
        return str(path)

    return write


Configured = Callable[[str], str]


def is_clear(said: Any, code: int, *words: str) -> bool:
    assert "Traceback" not in said.err
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("gpumon: ")
    assert not [word for word in words if word not in said.err]
    return True


@pytest.mark.parametrize("url", ["head:9090", "ftp://head", "http://", "", "http://head:99999", "http://he ad"])
def test_a_wrong_url_is_refused_before_anything_is_asked(url: str, run: Run) -> None:
    assert is_clear(run("gpus", "--prometheus", url), 2)


def test_nobody_listening_is_code_three(run: Run) -> None:
    assert is_clear(run("gpus", "--prometheus", "http://127.0.0.1:1"), 3, "http://127.0.0.1:1")


def test_a_host_that_does_not_exist_is_code_three(run: Run) -> None:
    assert is_clear(run("gpus", "--prometheus", "http://nowhere.invalid:9090"), 3, "nowhere.invalid")


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    assert is_clear(run("gpus", "--config", "/nowhere/gpumon.toml"), 2, "/nowhere/gpumon.toml")


def test_a_directory_is_no_file(run: Run, tmp_path: Path) -> None:
    assert is_clear(run("gpus", "--config", str(tmp_path)), 2, str(tmp_path))


def test_text_that_is_not_toml_is_named_with_its_place(run: Run, configured: Configured) -> None:
    assert is_clear(run("gpus", "--config", configured("[prometheus\n")), 2, "line 1")


def test_a_wrong_key_is_answered_with_the_nearest(run: Run, configured: Configured) -> None:
    file = configured('[prometheus]\nulr = "http://head:9090"\n')
    assert is_clear(run("gpus", "--config", file), 2, file, "ulr", "url")


def test_a_wrong_type_is_told_with_what_was_expected(run: Run, configured: Configured) -> None:
    file = configured('[prometheus]\ntimeout = "soon"\n')
    assert is_clear(run("gpus", "--config", file), 2, file, "timeout")


def test_all_mistakes_are_told_at_once(run: Run, configured: Configured) -> None:
    file = configured('theme = "pink"\n[prometheus]\nulr = "http://head:9090"\nurl = 7\n')
    said = run("gpus", "--config", file)
    assert is_clear(said, 2, "theme", "ulr", "url")
    assert len(said.err.splitlines()) >= 3


def test_a_secret_file_that_cannot_be_read_is_named(run: Run, configured: Configured) -> None:
    file = configured('[prometheus]\nbearer_token = { file = "/nowhere/token" }\n')
    assert is_clear(run("gpus", "--config", file), 2, "/nowhere/token")


def test_a_secret_is_never_repeated(run: Run, configured: Configured) -> None:
    file = configured('[prometheus]\nbearer_token = "hunter2"\nulr = 1\n')
    said = run("gpus", "--config", file)
    assert "hunter2" not in said.out + said.err


def test_an_unknown_cluster_is_told_with_those_that_are_known(run: Run, configured: Configured) -> None:
    file = configured('[clusters.lab.prometheus]\nurl = "http://lab:9090"\n')
    assert is_clear(run("gpus", "--config", file, "--cluster", "lba"), 2, "lba", "lab")


@pytest.mark.parametrize("command", ["status", "gpus", "nodes", "jobs", "idle", "free", "alerts", "doctor"])
def test_every_command_refuses_a_broken_configuration(command: str, run: Run, configured: Configured) -> None:
    assert is_clear(run(command, "--config", configured("ulr = 1\n")), 2, "ulr")


def test_the_demo_works_beside_a_broken_configuration(
    run: Run, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPUMON_CONFIG", configured("ulr = 1\n"))
    assert run("gpus", "--demo").code == 0


@pytest.mark.parametrize("seconds", ["0", "-3", "soon", "nan"])
def test_a_wrong_interval_is_refused(seconds: str, run: Run) -> None:
    assert is_clear(run("tui", f"--interval={seconds}"), 2)


def test_an_unknown_filter_term_is_pointed_at(run: Run) -> None:
    said = run("gpus", "--demo", "--filter", "util<10 uesr=ann")
    assert is_clear(said, 2, "uesr")
    lines = said.err.splitlines()
    assert lines[2].index("^") == lines[1].index("uesr")
