"""Large files over SFTP at a real sshd: whole, in a folder that goes with the connection, and told while they go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gpumon_setup.failures import ConnectionBroke
from gpumon_setup.host import Passwords, Pieces, SendFile, ShellHost, Step, Stretch
from gpumon_setup.ssh import Dialer, SshConnection, endpoint
from needs import skipped_or_failed
from setup.sshd import USER, Answers, Client, Sshd

pytestmark = pytest.mark.real
SIZE = 3_000_000


@pytest.fixture
def host(user: Client, server: Sshd) -> Iterator[ShellHost]:
    if USER != "root":
        skipped_or_failed("steps are root's")
    passwords: Passwords = Answers().passwords()
    with closing(Dialer(passwords)) as dialer:
        where = endpoint(user.config(""), "node1", address="127.0.0.1", port=server.port)
        with closing(ShellHost(SshConnection(where, dialer), passwords)) as made:
            yield made


@pytest.fixture
def source(tmp_path: Path) -> Pieces:
    (tmp_path / "large").write_bytes(bytes(range(256)) * (SIZE // 256 + 1))
    return Pieces("large", (b"head", Stretch(tmp_path / "large", 0, SIZE), b"tail"))


def test_a_file_arrives_whole_and_its_folder_goes(host: ShellHost, source: Pieces, tmp_path: Path) -> None:
    target, told = tmp_path / "target", list[tuple[int, int, int]]()

    def heard(number: int, so_far: int, size: int) -> None:
        told.append((number, so_far, size))

    argv = ("sh", "-c", 'cat >"$1"; echo "${0%/*}" >"$1.folder"', "{}", str(target))
    host.perform([Step("send", (SendFile(source, argv),))], sent=heard)
    with source.opened() as stream:
        assert target.read_bytes() == stream.read()
    assert told[-1] == (0, SIZE + 8, SIZE + 8)
    assert [so_far for _, so_far, _ in told] == sorted(so_far for _, so_far, _ in told)
    folder = Path(Path(f"{target}.folder").read_text().strip())
    assert folder.parent == Path("/var/tmp")
    assert not folder.exists()


def test_a_file_that_a_command_writes_is_brought_here(host: ShellHost, tmp_path: Path) -> None:
    target = tmp_path / "target"
    argv = ("sh", "-c", f'head -c {SIZE} /dev/zero >"$0"; echo "$0"', "{}")
    outcome = host.bring(argv, target)
    assert target.stat().st_size == SIZE
    assert not Path(outcome.text.strip()).parent.exists()
    assert host.bring(("sh", "-c", "exit 3", "{}"), tmp_path / "none").exit_code == 3
    assert not (tmp_path / "none").exists()


def test_a_way_that_ends_in_the_middle_takes_the_folder_along(host: ShellHost, source: Pieces, tmp_path: Path) -> None:
    def hang_up(_number: int, so_far: int, _size: int) -> None:
        if so_far > SIZE // 2:
            host.close()

    before = set(Path("/var/tmp").glob("gpumon.*"))
    with pytest.raises(ConnectionBroke, match="node1: large could not be sent over SFTP"):
        host.perform([Step("send", (SendFile(source, ("touch", f"{tmp_path}/begun")),))], sent=hang_up)
    assert not (tmp_path / "begun").exists()
    deadline = time.monotonic() + 20
    while set(Path("/var/tmp").glob("gpumon.*")) - before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
