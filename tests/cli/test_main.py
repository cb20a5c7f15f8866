"""The entry points: exit codes, silence on Ctrl-C and closed pipes, and never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli_handmade import HandmadeSource, cluster
from gpumon import __version__
from gpumon.errors import GpumonError, NoData, Refused
from gpumon_cli import main as entry
from gpumon_cli import terminal
from gpumon_cli.main import dashboard, main

Given = Callable[..., HandmadeSource]
Run = Callable[..., Any]
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("entry_point", [main, dashboard])
def test_the_version_is_told(entry_point: Callable[[list[str]], int], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        entry_point(["--version"])
    assert ended.value.code == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "typed",
    [
        ["-h"],
        ["status", "-h"],
        ["gpus", "-h"],
        ["jobs", "-h"],
        ["job", "-h"],
        ["idle", "-h"],
        ["free", "-h"],
        ["doctor", "-h"],
        ["demo", "serve", "-h"],
        ["tui", "-h"],
    ],
)
def test_every_command_has_help(typed: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(typed)
    assert ended.value.code == 0
    assert "--demo" in capsys.readouterr().out


def test_the_help_of_a_listing_names_its_columns(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["nodes", "--help"])
    assert "node, state, cpu" in capsys.readouterr().out


def test_the_setup_has_its_verbs_behind_the_command(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["setup", "--help"])
    said = capsys.readouterr().out
    assert all(verb in said for verb in ("plan", "apply", "init", "trust", "uninstall"))


def test_a_setup_without_a_configuration_is_code_two_and_says_what_writes_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("GPUMON_CONFIG", raising=False)
    ended = run("setup", "plan")
    assert (ended.code, "gpumon setup init" in ended.err) == (2, True)


def test_nothing_typed_is_answered_with_the_help(run: Run) -> None:
    said = run()
    assert (said.code, said.out) == (2, "")
    assert "doctor" in said.err


@pytest.mark.parametrize(
    "typed",
    [
        ["statsu"],
        ["gpus", "--bogus"],
        ["gpus", "--demo-nodes", "3", "--demo"],
        ["gpus", "--limit", "0"],
        ["gpus", "--watch", "soon"],
        ["gpus", "--columns", "nope"],
        ["gpus", "--sort", "nope"],
        ["gpus", "--filter", "nope=1"],
        ["gpus", "nowhere"],
        ["jobs", "--state", "rnning"],
        ["jobs", "--partition", "gpux"],
        ["job"],
        ["job", "gpu01"],
        ["idle", "--min", "soon"],
        ["free", "--gpus", "0"],
        ["free", "--type", "h1000"],
        ["completion", "tcsh"],
        ["demo"],
        ["status", "extra"],
    ],
)
def test_what_cannot_be_understood_is_one_sentence_and_code_two(typed: list[str], given: Given, run: Run) -> None:
    given()
    said = run(*typed)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("gpumon: ")
    assert "Traceback" not in said.err


CHECKS = ["status", "gpus", "nodes", "jobs", "idle", "free", "alerts"]
FAILURES = [
    *((command, Refused("it refused.")) for command in (*CHECKS, "doctor")),
    *((command, NoData("it is empty.")) for command in (*CHECKS, "doctor")),
    *((command, GpumonError("it failed.")) for command in CHECKS),
]


@pytest.mark.parametrize(("command", "error"), FAILURES)
def test_a_source_that_fails_is_code_three(command: str, error: GpumonError, given: Given, run: Run) -> None:
    given(error)
    said = run(command, "--demo") if command == "doctor" else run(command)
    assert said.code == 3
    assert "Traceback" not in said.err


def test_a_configuration_file_that_is_not_there_is_code_two(run: Run, tmp_path: Path) -> None:
    said = run("gpus", "--config", str(tmp_path / "nowhere.toml"))
    assert (said.code, said.out) == (2, "")
    assert "nowhere.toml" in said.err


def test_a_hostile_error_is_not_sent_raw(given: Given, run: Run) -> None:
    given(Refused("it said \x1b[2J\u202e."))
    assert "\x1b" not in run("gpus").err


def test_ctrl_c_is_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "_run", interrupted)
    said = run("gpus")
    assert (said.code, said.out, said.err) == (130, "", "")


def test_a_bug_is_not_hidden(given: Given, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(entry, "_run", broken)
    with pytest.raises(ZeroDivisionError):
        run("gpus")


def test_a_reader_that_went_away_is_quiet(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given()
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["gpus"]) == 141
        monkeypatch.undo()


def test_a_full_disk_is_one_sentence(given: Given, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    given()
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["gpus", "--json"]) == 3
        monkeypatch.undo()
    assert "cannot write the answer: No space left on device" in capsys.readouterr().err


def test_a_terminal_without_our_signs_gets_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        terminal.write("✓ – … ü\n")
        monkeypatch.undo()
    assert path.read_bytes() == b"+ - ~ ?\n"


@pytest.mark.parametrize(("entry_point", "typed"), [(dashboard, ["--demo"]), (main, ["tui", "--demo"])])
def test_the_dashboard_needs_a_terminal(
    entry_point: Callable[[list[str]], int], typed: list[str], capsys: Capture
) -> None:
    assert entry_point(typed) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "gpumon status" in printed.err


def test_the_dashboard_gets_its_settings_and_a_way_to_the_source(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    source = given()
    got: list[Any] = []

    class FakeTui:
        @staticmethod
        def run(factory: Callable[[], object], settings: object, *, remember: bool) -> int:
            got.extend((factory(), settings, remember))
            return 0

    monkeypatch.setitem(sys.modules, "gpumon_tui", FakeTui)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert dashboard(["--interval", "7"]) == 0
    assert got[0] is source
    assert got[2] is True
    dashboard(["--demo"])
    assert got[5] is False, "the simulation always begins alike"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script_that_knows_the_commands(shell: str, run: Run) -> None:
    said = run("completion", shell)
    assert (said.code, said.err) == (0, "")
    for word in ("gpus", "idle", "free", "partition", "doctor", "demo-nodes", "filter"):
        assert word in said.out


def test_colour_needs_a_terminal_and_no_wish_against_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not terminal.Terminal.of_stdout().has_colour
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "77")
    assert terminal.Terminal.of_stdout().has_colour
    assert terminal.Terminal.of_stdout().columns == 77
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal.Terminal.of_stdout().has_colour


def test_the_doctor_tells_of_a_simulated_cluster(given: Given, run: Run) -> None:
    given(cluster(is_simulated=True))
    said = run("doctor", "--demo")
    assert said.code == 1
    assert said.out.startswith("DEMO")
    assert "DCGM_FI_PROF_SM_ACTIVE, gauge, SM activity." in said.out
    assert "to look at." in said.out


def test_the_doctor_says_what_broke_and_what_to_do(given: Given, run: Run) -> None:
    given(Refused("Prometheus at http://head:9090 refused the connection.", advice="Is it running?"))
    said = run("doctor")
    assert said.code == 3
    assert "✗ reach" in said.out
    assert "→ Is it running?" in said.out
    assert said.out.splitlines()[-1] == "1 broken."


def test_the_doctor_in_json_is_its_steps(given: Given, run: Run) -> None:
    import json

    given(Refused("it refused.", advice="Is it running?"))
    said = run("doctor", "--json")
    answer = json.loads(said.out)
    assert answer["schema"] == "gpumon.doctor/1"
    assert answer["steps"][-1] == {
        "name": "reach",
        "mark": "broken",
        "text": "it refused.",
        "advice": ["Is it running?"],
    }
    assert said.err == ""
