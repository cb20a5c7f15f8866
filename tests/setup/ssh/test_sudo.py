"""Becoming root at a real sshd with a real sudo, whose users exist for these tests only."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from gpumon_setup import failures
from gpumon_setup.host import RunCommand, ShellHost, Step, WriteFile
from gpumon_setup.ssh import Dialer, SshConnection, endpoint
from setup.sshd import SUDO_PASSWORD, Answers, Client, Sshd, client, sshd

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return client(tmp_path_factory.mktemp("sudo") / "user")


@pytest.fixture(scope="module")
def machine(user: Client) -> Iterator[Sshd]:
    with sshd(user.folder.parent / "machine", user, with_people=True) as started:
        user.knows(started.known())
        yield started


@contextmanager
def reached(machine: Sshd, client: Client, user: str, answers: Answers) -> Generator[ShellHost]:
    passwords = answers.passwords()
    dialer = Dialer(passwords)
    where = endpoint(client.config(""), "node1", address="127.0.0.1", port=machine.port, user=user)
    host = ShellHost(SshConnection(where, dialer), passwords)
    try:
        yield host
    finally:
        host.close()
        dialer.close()


def test_sudo_without_a_password_asks_nobody(machine: Sshd, user: Client) -> None:
    answers = Answers()
    with reached(machine, user, "ops", answers) as host:
        assert [host.run(["id", "-un"]).text for _ in range(2)] == ["root\n"] * 2
        assert host.run(["id", "-un"], as_root=False).text == "ops\n"
    assert answers.asked == []


def test_sudo_with_a_password_asks_once(machine: Sshd, user: Client) -> None:
    answers = Answers(sudo=SUDO_PASSWORD)
    with reached(machine, user, "admin", answers) as host:
        assert [host.run(["id", "-un"]).text for _ in range(2)] == ["root\n"] * 2
    assert answers.asked == ["Password for sudo: "]


def test_the_password_is_in_no_argument_and_no_environment(machine: Sshd, user: Client) -> None:
    with reached(machine, user, "admin", Answers(sudo=SUDO_PASSWORD)) as host:
        seen = host.run(["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null"]).out
    assert b"sudo" in seen
    assert SUDO_PASSWORD.encode() not in seen


def test_a_wrong_password_is_told_from_missing_rights(machine: Sshd, user: Client) -> None:
    with reached(machine, user, "admin", Answers(sudo="wrong")) as host:
        with pytest.raises(failures.SudoPasswordWrong, match="did not take the password of admin") as raised:
            host.run(["true"])
        assert "wrong" not in str(raised.value).replace("Wrong", "")
        with pytest.raises(failures.SudoPasswordWrong, match="not tried"):
            host.run(["true"])
    answers = Answers(sudo=SUDO_PASSWORD)
    with reached(machine, user, "plain", answers) as host, pytest.raises(failures.SudoRefused) as refusal:
        host.run(["true"])
    assert "plain may not use sudo there" in str(refusal.value)
    assert not isinstance(refusal.value, failures.SudoPasswordWrong)


def test_nobody_to_ask_is_a_sentence(machine: Sshd, user: Client) -> None:
    with reached(machine, user, "admin", Answers()) as host, pytest.raises(failures.NoPassword):
        host.run(["true"])


def test_steps_are_carried_out_as_root_with_secrets_on_standard_input(machine: Sshd, user: Client) -> None:
    steps = [
        Step("a file", (WriteFile("/home/secret", b"top\n", mode=0o600, was=""),)),
        Step("a command", (RunCommand(("sh", "-c", "cat >/home/copy; id -un >>/home/copy"), stdin=b"word\n"),)),
    ]
    done: list[int] = []
    with reached(machine, user, "admin", Answers(sudo=SUDO_PASSWORD)) as host:
        host.perform(steps, done=done.append)
        assert host.read("/home/secret") == b"top\n"
        assert host.read("/home/copy") == b"word\nroot\n"
        assert host.run(["stat", "-c", "%a %U", "/home/secret"]).text == "600 root\n"
    assert done == [0, 1]


def test_a_held_script_ends_with_its_connection(machine: Sshd, user: Client) -> None:
    with reached(machine, user, "admin", Answers(sudo=SUDO_PASSWORD)) as host:
        held = host.hold("echo in; cat >/dev/null; echo over >/home/over")
        assert held.first_line == "in"
        assert held.is_running()
        held.release()
        assert host.run(["timeout", "20", "sh", "-c", "until [ -e /home/over ]; do sleep 0.05; done"]).is_success
