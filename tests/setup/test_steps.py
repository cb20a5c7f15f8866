"""Steps carried out by a real /bin/sh: files whole or not at all, values as they are, failures in their own words."""

from __future__ import annotations

import getpass
import grp
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gpumon_setup.failures import ConnectionBroke, HostSilent, StepFailed, StillAtWork
from gpumon_setup.host import (
    Action,
    LocalConnection,
    MakeDirectory,
    Passwords,
    Pieces,
    RemoveDirectory,
    RemoveFile,
    RunCommand,
    SendFile,
    ShellHost,
    Step,
    Stretch,
    WriteFile,
    digest_of,
    script,
)
from gpumon_setup.host.script import whole

ME = f"{getpass.getuser()}:{grp.getgrgid(os.getgid()).gr_name}"
HOSTILE = ["a b", "$(touch oops)", "`touch oops`", "'; touch oops; '", '"', "*", "-n", "!", "new\nline", "ü", "{}"]


class Connection(LocalConnection):
    """This machine, whose user is as good as root."""

    def __init__(self) -> None:
        super().__init__("here")
        self.user = "root"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ShellHost]:
    monkeypatch.chdir(tmp_path)
    made = ShellHost(Connection(), Passwords())
    yield made
    made.close()
    assert not (tmp_path / "oops").exists()


_CHECK = ("sh", "-c", "grep -q good $0 || { echo grep says no; false; }", "{}")


def perform(host: ShellHost, *actions: Action) -> None:
    host.perform([Step("the step", actions)])


@pytest.mark.parametrize("word", HOSTILE)
def test_words_arrive_as_they_are(host: ShellHost, word: str) -> None:
    assert host.run(["printf", "%s", "", word]).text == word
    assert host.run(["cat"], stdin=word.encode()).out == word.encode()


@pytest.mark.parametrize("word", [word for word in HOSTILE if "\n" not in word])
def test_files_of_any_name_get_any_content(host: ShellHost, tmp_path: Path, word: str) -> None:
    path = tmp_path / f"x{word}"
    content = bytes(range(256)) + word.encode()
    perform(host, WriteFile(str(path), content, 0o640, ME, was=""))
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o7777 == 0o640
    assert host.read(str(path)) == content
    perform(host, RemoveFile(str(path)))
    assert host.read(str(path)) is None


def test_an_empty_file_and_a_large_one_arrive_whole(host: ShellHost, tmp_path: Path) -> None:
    large = os.urandom(1 << 20)
    perform(host, WriteFile(f"{tmp_path}/e", b"", 0o600, ME), WriteFile(f"{tmp_path}/l", large, 0o600, ME))
    assert (tmp_path / "e").read_bytes() == b""
    assert (tmp_path / "l").read_bytes() == large


def test_what_another_hand_changed_is_not_written_over(host: ShellHost, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"theirs")
    for seen in ("", digest_of(b"as planned")):
        with pytest.raises(StepFailed, match=r"the step: .*/file: another hand changed it after the plan was made"):
            perform(host, WriteFile(str(path), b"ours", owner=ME, was=seen))
    assert path.read_bytes() == b"theirs"
    perform(host, WriteFile(str(path), b"ours", owner=ME, was=digest_of(b"theirs")))
    assert path.read_bytes() == b"ours"


def test_a_content_that_its_check_refuses_never_takes_the_place(host: ShellHost, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"good")
    with pytest.raises(StepFailed, match="grep says no"):
        perform(
            host,
            WriteFile(
                str(path),
                b"bad",
                owner=ME,
                check=("sh", "-c", "grep -q good $0 || { echo grep says no; false; }", "{}"),
            ),
        )
    assert path.read_bytes() == b"good"
    perform(host, WriteFile(str(path), b"very good", owner=ME, check=("grep", "-q", "good", "{}")))
    assert path.read_bytes() == b"very good"
    assert list(tmp_path.iterdir()) == [path]


def test_what_stood_there_is_copied_once_and_comes_back(host: ShellHost, tmp_path: Path) -> None:
    path, copy = tmp_path / "file", tmp_path / "kept" / "copy"
    path.write_bytes(b"theirs")
    path.chmod(0o604)
    for content in (b"ours", b"ours again"):
        perform(host, WriteFile(str(path), content, owner=ME, backup=str(copy)))
    assert copy.read_bytes() == b"theirs"
    perform(host, RemoveFile(str(path), restore=str(copy)))
    assert path.read_bytes() == b"theirs"
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_link_is_followed_to_the_file_behind_it(host: ShellHost, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    perform(host, WriteFile(f"{tmp_path}/link", b"y", owner=ME))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"y"


def test_directories_are_made_with_parents_and_go_when_empty(host: ShellHost, tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b c"
    perform(host, MakeDirectory(str(inner), 0o750, ME))
    assert inner.stat().st_mode & 0o777 == 0o750
    assert inner.parent.stat().st_mode & 0o777 == 0o755
    (inner / "file").touch()
    perform(host, RemoveDirectory(str(inner)))
    assert inner.is_dir()
    perform(host, RemoveDirectory(str(inner), with_content=True), RemoveDirectory(str(tmp_path / "a")))
    assert not (tmp_path / "a").exists()
    perform(host, RemoveDirectory(str(tmp_path / "a")))


TAKE_IN = 'cat - "$0" >"$1"; dirname "$0" >"$1.folder"; stat -c %a "${0%/*}" >"$1.mode"'


def test_a_sent_file_reaches_its_command_and_leaves_nothing(host: ShellHost, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"0123456789" * 20_000)
    source = Pieces("source", (b"head ", Stretch(tmp_path / "source", 5, 150_000), b" tail"))
    content = b"head " + (b"0123456789" * 20_000)[5:150_005] + b" tail"
    target = tmp_path / "target"
    told: list[tuple[int, int, int]] = []
    numbers: list[int] = []

    def heard(number: int, so_far: int, size: int) -> None:
        told.append((number, so_far, size))

    host.perform(
        [
            Step("before", (WriteFile(f"{tmp_path}/before", b"", owner=ME),)),
            Step("send", (SendFile(source, ("sh", "-c", TAKE_IN, "{}", str(target))),)),
            Step("after", (RunCommand(("test", "-e", str(target))),)),
        ],
        done=numbers.append,
        sent=heard,
    )
    assert target.read_bytes() == content * 2
    assert numbers == [0, 1, 2]
    assert told[-1] == (1, len(content), len(content))
    assert Path(f"{target}.mode").read_text() == "700\n"
    assert not Path(Path(f"{target}.folder").read_text().strip()).exists()


def test_a_file_that_a_command_writes_is_brought_here(host: ShellHost, tmp_path: Path) -> None:
    outcome = host.bring(("sh", "-c", 'echo content >"$0"; echo "$0"', "{}"), tmp_path / "target")
    assert (tmp_path / "target").read_text() == "content\n"
    assert not Path(outcome.text.strip()).parent.exists()


def test_a_command_that_refuses_what_was_sent_is_heard_and_the_file_is_gone(host: ShellHost, tmp_path: Path) -> None:
    argv = ("sh", "-c", 'echo "$0" >"$1"; echo out of luck; exit 3', "{}", f"{tmp_path}/place")
    steps = [Step("first", ()), Step("the load", (SendFile(Pieces("source", (b"archive",)), argv),))]
    with pytest.raises(StepFailed, match="here: the load: out of luck"):
        host.perform(steps)
    assert not Path((tmp_path / "place").read_text().strip()).parent.exists()


def test_a_file_that_became_shorter_is_not_sent_for_whole(host: ShellHost, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"short")
    source = Pieces("source", (Stretch(tmp_path / "source", 0, 10),))
    with pytest.raises(ConnectionBroke, match=r"source could not be copied to .*: source became shorter meanwhile"):
        perform(host, SendFile(source, ("touch", f"{tmp_path}/begun")))
    assert not (tmp_path / "begun").exists()


def test_steps_end_at_the_first_that_fails_in_its_own_words(host: ShellHost, tmp_path: Path) -> None:
    steps = [
        Step("first", (WriteFile(f"{tmp_path}/1", b"", owner=ME),)),
        Step("second", (RunCommand(("sh", "-c", "echo out of luck >&2; exit 3")),)),
        Step("third", (WriteFile(f"{tmp_path}/3", b"", owner=ME),)),
    ]
    done: list[int] = []
    with pytest.raises(StepFailed) as raised:
        host.perform(steps, done=done.append)
    assert str(raised.value) == "here: second: out of luck."
    assert done == [0]
    assert not (tmp_path / "3").exists()


def test_a_failing_command_cannot_forge_progress(host: ShellHost) -> None:
    done: list[int] = []
    with pytest.raises(StepFailed, match=r"done 1.*\\e\[2J"):
        host.perform(
            [Step("x", (RunCommand(("sh", "-c", r"echo done 1; printf '\033[2J'; exit 1")),))], done=done.append
        )
    assert done == []


def test_a_missing_directory_and_a_full_disk_are_said(host: ShellHost, tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="there is no directory for it"):
        perform(host, WriteFile(f"{tmp_path}/none/file", b"x", owner=ME))
    with pytest.raises(StepFailed, match="No space left"):
        perform(host, RunCommand(("cp", "/etc/passwd", "/dev/full")))


def test_a_command_is_ended_after_its_time(host: ShellHost) -> None:
    with pytest.raises(StepFailed, match="ended with 124"):
        perform(host, RunCommand(("sleep", "60"), seconds=0.2))
    perform(host, RunCommand(("sh", "-c", "exit 5"), ok_codes=(0, 5)))


def test_secrets_reach_a_command_by_its_input_alone(host: ShellHost, tmp_path: Path) -> None:
    seen = f"{tmp_path}/seen"
    perform(
        host,
        RunCommand(("sh", "-c", f"cat >{seen}; cat /proc/[0-9]*/cmdline >>{seen}.argv 2>/dev/null; true"), b"s3cret"),
    )
    assert Path(seen).read_bytes() == b"s3cret"
    assert b"s3cret" not in Path(f"{seen}.argv").read_bytes()


def test_half_a_script_does_nothing(tmp_path: Path) -> None:
    connection = Connection()
    process = connection.open("exec /bin/sh -s")
    script = whole(f"touch {tmp_path}/first\ntouch {tmp_path}/second")
    process.send(script[: script.index("second")].encode())
    process.end_input()
    while process.receive(20) is not None:
        pass
    assert process.exit_code() != 0
    process.close()
    assert list(tmp_path.iterdir()) == []


def test_two_never_work_at_once_and_the_second_is_told_whose_work_it_is(
    host: ShellHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "PATIENCE_SECONDS", 0.2)
    wait = RunCommand(("sh", "-c", f"touch {tmp_path}/begun; until [ -e {tmp_path}/go ]; do sleep 0.02; done"))
    other = ShellHost(Connection(), Passwords())
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(host.perform, [Step("wait", (wait,))])
        _await(tmp_path / "begun")
        with pytest.raises(StillAtWork, match=rf"still at work there: by {getpass.getuser()} on .*, since 20\d\d-"):
            perform(other, WriteFile(f"{tmp_path}/second", b"", owner=ME))
        (tmp_path / "go").touch()
        working.result(20)
    assert not (tmp_path / "second").exists()
    perform(other, WriteFile(f"{tmp_path}/second", b"", owner=ME))
    other.close()


def test_what_a_step_leaves_running_holds_nobody_up(host: ShellHost, tmp_path: Path) -> None:
    daemon = f"(until [ -e {tmp_path}/go ]; do sleep 0.02; done) >/dev/null 2>&1 &"
    perform(host, RunCommand(("sh", "-c", daemon)))
    perform(host, WriteFile(f"{tmp_path}/go", b"", owner=ME))


def test_a_shell_that_is_killed_is_told_from_a_step_that_failed(host: ShellHost) -> None:
    with pytest.raises(ConnectionBroke):
        perform(host, RunCommand(("sh", "-c", "kill -9 $(ps -o ppid= -p $PPID)")))


def test_a_script_that_hangs_is_left_after_its_time(host: ShellHost) -> None:
    with pytest.raises(HostSilent, match=r"0\.2 s"):
        host.run_script("sleep 30", seconds=0.2)


def test_a_held_script_hears_us_and_ends_without_us(host: ShellHost) -> None:
    held = host.hold("echo in; read -r _ && echo beaten; cat >/dev/null")
    assert held.first_line == "in"
    held.beat()
    assert held.is_running()
    held.release()
    assert not held.is_running()
    mute = host.hold("echo")
    assert mute.first_line == ""
    mute.release()


def test_closing_wakes_whoever_waits_and_a_step_comes_to_its_end(host: ShellHost, tmp_path: Path) -> None:
    wait = RunCommand(("sh", "-c", f"touch {tmp_path}/begun; until [ -e {tmp_path}/go ]; do sleep 0.02; done"))
    steps = [
        Step("wait", (wait, WriteFile(f"{tmp_path}/first", b"", owner=ME))),
        Step("never", (WriteFile(f"{tmp_path}/second", b"", owner=ME),)),
    ]
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(host.perform, steps)
        _await(tmp_path / "begun")
        host.close()
        with pytest.raises(ConnectionBroke):
            working.result(20)
    (tmp_path / "go").touch()
    assert not (tmp_path / "second").exists()


def _await(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
