"""A command that gives no answer is one sentence, and the environment never changes an answer's form."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gpumon_exporter.clock import Clock
from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm.child import Children, Ended
from gpumon_exporter.slurm.commands import Commands, Whole
from gpumon_exporter.slurm.records import CommandResult

PATIENCE = 20.0
SOON = 0.2


class Slurm:
    """A folder with commands of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds = PATIENCE

    def has(self, name: str, script: str) -> None:
        """Puts a shell script there."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def commands(self) -> Commands:
        """Commands from there."""
        return Commands(self.folder, self.seconds, Children().run, Clock(now=lambda: 1000.0))

    def error(self, most: int = 1 << 20) -> str:
        """Why `squeue` gives no answer; the result says the same."""
        commands = self.commands()
        with pytest.raises(NoAnswer) as caught:
            commands.ask("squeue", ["squeue", "-a"], Whole(str), most=most)
        (result,) = commands.results
        assert (result.name, result.is_ok, result.succeeded_at) == ("squeue", False, None)
        assert result.error == str(caught.value)
        return result.error


@pytest.fixture
def slurm(tmp_path: Path) -> Slurm:
    """Slurm without commands yet."""
    return Slurm(tmp_path)


def test_an_answer_is_what_was_printed(slurm: Slurm) -> None:
    slurm.has("squeue", 'printf "%s, " "$@"')
    commands = slurm.commands()
    assert (
        commands.ask("squeue", ["squeue", "-a", "two words", "$HOME;`id`"], Whole(str)) == "-a, two words, $HOME;`id`, "
    )
    (result,) = commands.results
    assert (result.name, result.is_ok, result.error, result.succeeded_at) == ("squeue", True, "", 1000.0)


def test_a_command_that_is_missing_is_named_with_where_it_was_looked_for(
    slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    help_ = "install Slurm's commands on this machine, or name their folder with --slurm-bin"
    assert slurm.error() == f"squeue is not in {slurm.folder}: {help_}"
    monkeypatch.setenv("PATH", "/nowhere:/neither")
    commands = Commands(None, PATIENCE, Children().run, Clock())
    with pytest.raises(NoAnswer, match=r"^squeue is in no folder of PATH \(/nowhere:/neither\): install "):
        commands.ask("squeue", ["squeue"], Whole(str))


def test_a_command_is_found_in_the_path(slurm: Slurm, monkeypatch: pytest.MonkeyPatch) -> None:
    slurm.has("squeue", "echo here")
    monkeypatch.setenv("PATH", str(slurm.folder))
    assert Commands(None, PATIENCE, Children().run, Clock()).ask("squeue", ["squeue"], Whole(str)) == "here\n"


def test_a_command_that_may_not_be_run_is_an_error(slurm: Slurm) -> None:
    (slurm.folder / "squeue").mkdir()
    assert slurm.error() == f"{slurm.folder}/squeue cannot be run: Permission denied"


def test_a_failure_is_told_in_the_commands_own_words(slurm: Slurm) -> None:
    slurm.has(
        "squeue",
        r"printf 'squeue: error: \033[31mmunge\n\nslurm_load_jobs error: no\nslurm_load_jobs error: no\n' >&2; exit 1",
    )
    assert slurm.error() == r"squeue failed: squeue: error: \x1b[31mmunge; slurm_load_jobs error: no"


def test_a_refusal_says_which_right_is_missing(slurm: Slurm) -> None:
    slurm.has("squeue", "echo 'slurm_load_node: Access/permission denied' >&2; exit 1")
    assert slurm.error() == (
        "squeue failed: slurm_load_node: Access/permission denied "
        "(with PrivateData in slurm.conf the exporter's user needs AdminLevel=Operator)"
    )


def test_a_failure_without_words_is_told_by_its_number(slurm: Slurm) -> None:
    slurm.has("squeue", "exit 7")
    assert slurm.error() == "squeue failed: exit code 7"
    slurm.has("squeue", "kill -TERM $$")
    assert slurm.error() == "squeue failed: signal SIGTERM"


def test_a_command_that_hangs_is_told_with_its_time(slurm: Slurm) -> None:
    slurm.has("squeue", "sleep 60")
    slurm.seconds = SOON
    assert slurm.error() == "squeue gave no answer within 0.2 s"


def test_a_command_that_prints_without_end_is_told_with_its_size(slurm: Slurm) -> None:
    slurm.has("squeue", "cat /dev/zero")
    assert slurm.error() == "squeue printed more than 1 MiB"


def test_an_answer_that_is_not_understood_is_no_answer(slurm: Slurm) -> None:
    def read(text: str) -> None:
        raise NoAnswer(f"what is {text!r}?")

    slurm.has("squeue", "printf x")
    commands = slurm.commands()
    with pytest.raises(NoAnswer):
        commands.ask("squeue", ["squeue"], Whole(read))
    assert [result.error for result in commands.results] == ["what is 'x'?"]


def test_a_failure_that_is_an_answer_is_none(slurm: Slurm) -> None:
    slurm.has("scontrol", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
    commands = slurm.commands()
    assert commands.ask("scontrol show job", ["scontrol"], Whole(str), forgives="Invalid job id") == ""
    with pytest.raises(NoAnswer):
        commands.ask("scontrol show job", ["scontrol"], Whole(str))


def test_text_that_is_no_utf8_is_replaced_and_letters_are_not_cut_in_two() -> None:
    def run(command: object, environment: object, bounds: object, feed: Callable[[bytes], None], /) -> Ended:
        for piece in (b"gr\xc3", b"\xb6\xc3\x9fe \xff|", b"\xf0\x9f"):
            feed(piece)
        return Ended(0, "")

    assert Commands(None, PATIENCE, run, Clock()).ask("squeue", ["squeue"], Whole(str)) == "größe \ufffd|\ufffd"


def test_nothing_in_the_environment_changes_the_form_of_an_answer(
    slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SQUEUE_FORMAT", "SINFO_SORT", "SACCT_FEDERATION", "SLURM_CLUSTERS", "SLURM_BITSTR_LEN", "LC_ALL"):
        monkeypatch.setenv(name, "wrong")
    monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
    monkeypatch.setenv("SLURM_CONF", "/etc/other.conf")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/slurm/lib")
    slurm.has("squeue", "env")
    told = slurm.commands().ask("squeue", ["squeue"], Whole(str)).splitlines()
    assert "wrong" not in "".join(told)
    assert {"LC_ALL=C", "SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0", "SLURM_CONF=/etc/other.conf"} <= set(told)
    assert "LD_LIBRARY_PATH=/opt/slurm/lib" in told


def test_the_last_run_of_each_command_counts_and_its_last_success_is_remembered(slurm: Slurm) -> None:
    now = [1000.0]
    commands = Commands(slurm.folder, PATIENCE, Children().run, Clock(lambda: now[0], lambda: now[0]))
    slurm.has("squeue", "echo")
    slurm.has("sdiag", "echo")
    commands.ask("squeue", ["squeue"], Whole(str))
    commands.ask("sdiag", ["sdiag"], Whole(str))
    now[0] = 1015.0
    slurm.has("squeue", "exit 1")
    with pytest.raises(NoAnswer):
        commands.ask("squeue", ["squeue"], Whole(str))
    assert commands.results == (
        CommandResult("squeue", is_ok=False, seconds=0.0, error="squeue failed: exit code 1", succeeded_at=1000.0),
        CommandResult("sdiag", is_ok=True, seconds=0.0, succeeded_at=1000.0),
    )
    now[0] = 1030.0
    slurm.has("squeue", "echo")
    commands.ask("squeue", ["squeue"], Whole(str))
    assert commands.results[0] == CommandResult("squeue", is_ok=True, seconds=0.0, succeeded_at=1030.0)
