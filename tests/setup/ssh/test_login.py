"""Logging in over SSH at real sshds: keys, host keys, jump hosts, and what is said when it does not work."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from gpumon_setup import failures
from gpumon_setup.host import Pieces, ShellHost, Stretch
from gpumon_setup.ssh import Dialer, SshConfig, SshConnection, endpoint
from setup.sshd import USER, Answers, Client, Sshd, make_key, sshd

pytestmark = pytest.mark.real


def said(config: SshConfig, server: Sshd, answers: Answers | None = None, **place: str) -> str:
    """What `echo` says on the server, by whichever way the configuration leads there."""
    passwords = (answers or Answers()).passwords()
    with closing(Dialer(passwords)) as dialer:
        where = endpoint(config, "node1", address="127.0.0.1", port=server.port, **place)
        with closing(ShellHost(SshConnection(where, dialer), passwords)) as host:
            return host.run(["echo", "I'm", "$HOME"], as_root=False).text


def test_a_key_lets_in_and_words_arrive_as_they_were(user: Client, server: Sshd) -> None:
    assert said(user.config(""), server) == "I'm $HOME\n"


@pytest.mark.parametrize("kind", ["ecdsa", pytest.param("rsa", marks=pytest.mark.thorough)])
def test_every_usual_kind_of_key_lets_in(user: Client, server: Sshd, kind: str) -> None:
    make_key(user.folder / kind, kind=kind)
    (server.folder / "authorized_keys").write_text((user.folder / f"{kind}.pub").read_text())
    assert said(user.config("", keys=[kind]), server)


def test_a_locked_key_asks_for_its_passphrase_once(user: Client, server: Sshd) -> None:
    make_key(user.folder / "locked", passphrase="long words")
    (server.folder / "authorized_keys").write_text((user.folder / "locked.pub").read_text())
    answers = Answers(locked="long words")
    passwords = answers.passwords()
    where = endpoint(user.config("", keys=["locked"]), "node1", address="127.0.0.1", port=server.port)
    with closing(Dialer(passwords)) as dialer:
        for _ in range(2):
            SshConnection(where, dialer).close()
    assert len(answers.asked) == 1


def test_a_wrong_passphrase_is_said_without_showing_it(user: Client, server: Sshd) -> None:
    make_key(user.folder / "locked", passphrase="long words")
    with pytest.raises(failures.SetupError) as raised:
        said(user.config("", keys=["locked"]), server, Answers(locked="other words"))
    assert "does not open" in str(raised.value)
    assert "other words" not in str(raised.value)


def test_a_key_that_nobody_knows_is_refused_with_what_would_help(user: Client, server: Sshd) -> None:
    make_key(user.folder / "other")
    with pytest.raises(failures.LoginRefused, match=r"1 key offered \(\S+/other\), it accepts publickey.*ssh-copy-id"):
        said(user.config("", keys=["other"]), server)


def test_too_many_keys_are_told_from_wrong_ones(user: Client, server: Sshd) -> None:
    names = [f"key{number}" for number in range(8)]
    for name in names:
        make_key(user.folder / name)
    with pytest.raises(failures.LoginRefused, match=r"hung up after \d keys.*IdentitiesOnly"):
        said(user.config("", keys=names), server)


def test_a_host_that_nobody_vouched_for_is_not_talked_to(user: Client, server: Sshd) -> None:
    user.knows()
    with pytest.raises(failures.HostKeyUnknown, match=r"SHA256:.*gpumon setup trust"):
        said(user.config("StrictHostKeyChecking no"), server)


def test_a_changed_key_names_both_fingerprints_and_the_line(user: Client, server: Sshd) -> None:
    make_key(user.folder / "elder")
    elder = " ".join((user.folder / "elder.pub").read_text().split()[:2])
    user.knows("\n", f"[127.0.0.1]:{server.port} {elder}\n")
    with pytest.raises(failures.HostKeyChanged, match=r"SHA256:.*known_hosts:2 knows SHA256:.*ssh-keygen -R"):
        said(user.config(""), server)


def test_a_revoked_key_is_refused_though_it_is_on_record(user: Client, server: Sshd) -> None:
    user.knows(server.known(), f"@revoked * {server.public_key}\n")
    with pytest.raises(failures.HostKeyRevoked, match="known_hosts:2"):
        said(user.config(""), server)


def test_markers_hashes_and_broken_lines_do_not_hide_a_known_key(user: Client, server: Sshd) -> None:
    make_key(user.folder / "ca")
    authority = " ".join((user.folder / "ca.pub").read_text().split()[:2])
    user.knows(server.known())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", user.folder / "known_hosts"], check=True, capture_output=True)
    hashed = (user.folder / "known_hosts").read_text()
    assert "127.0.0.1" not in hashed
    user.knows(f"@cert-authority * {authority}\n", f"@revoked * {authority}\n", "nonsense\n", "a b c\n", hashed)
    assert said(user.config(""), server)


def test_two_jump_hosts_lead_to_a_machine_and_are_dialled_once(tmp_path: Path, user: Client, server: Sshd) -> None:
    with ExitStack() as stack:
        outer = stack.enter_context(sshd(tmp_path / "outer", user))
        inner = stack.enter_context(sshd(tmp_path / "inner", user))
        user.knows(server.known(), outer.known(), inner.known())
        config = user.config(
            f"Host gate\nHostName 127.0.0.1\nPort {outer.port}\nHost 127.0.0.1\n"
            f"ProxyJump gate,{USER}@127.0.0.1:{inner.port}\n"
        )
        passwords = Answers().passwords()
        with closing(Dialer(passwords)) as dialer:
            where = endpoint(config, "node1", address="127.0.0.1", port=server.port)
            for _ in range(2):
                with closing(ShellHost(SshConnection(where, dialer), passwords)) as host:
                    assert host.run(["true"], as_root=False).is_success
        assert outer.log().count("Accepted publickey") == 1
        assert inner.log().count("Accepted publickey") == 1
        assert server.log().count("Accepted publickey") == 2


def test_a_jump_host_that_cannot_be_reached_is_named(user: Client, server: Sshd) -> None:
    with pytest.raises(failures.Unreachable, match=r"node1: its jump host 127\.0\.0\.1: nobody listens"):
        said(user.config(""), server, jump="127.0.0.1:1")


def test_a_name_that_nobody_knows_is_told_with_where_its_address_goes(user: Client) -> None:
    where = endpoint(user.config(""), "node1.invalid")
    with closing(Dialer(Answers().passwords())) as dialer, pytest.raises(failures.Unreachable) as refused:
        dialer.transport(where)
    assert "[setup.machines.node1.invalid]" in refused.value.advice


def test_what_a_jump_host_cannot_reach_is_named(user: Client, server: Sshd) -> None:
    where = endpoint(user.config(""), "node1", address="127.0.0.1", port=1, jump=f"127.0.0.1:{server.port}")
    with closing(Dialer(Answers().passwords())) as dialer, pytest.raises(failures.Unreachable, match="cannot reach"):
        dialer.transport(where)


def test_a_proxy_command_is_the_connection(user: Client, server: Sshd) -> None:
    script = user.folder / "proxy.py"
    script.write_text(
        "import socket, sys, threading, os\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n    while (b := os.read(0, 65536)): s.sendall(b)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while (b := s.recv(65536)): os.write(1, b)\n"
    )
    assert said(user.config(f"ProxyCommand python3 {script} %h %p"), server)


def test_many_get_in_at_one_sshd_though_it_drops_whom_it_has_no_time_for(user: Client, server: Sshd) -> None:
    passwords = Answers().passwords()
    where = endpoint(user.config(""), "node1", address="127.0.0.1", port=server.port)
    with closing(Dialer(passwords)) as dialer, ThreadPoolExecutor(30) as pool:
        for connection in [pool.submit(SshConnection, where, dialer) for _ in range(30)]:
            connection.result().close()
    assert server.log().count("Accepted publickey") == 30


def test_a_file_arrives_whole_over_sftp(user: Client, server: Sshd, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4096
    (tmp_path / "large").write_bytes(content)
    where = endpoint(user.config(""), "node1", address="127.0.0.1", port=server.port)
    heard: list[tuple[int, int]] = []
    with closing(Dialer(Answers().passwords())) as dialer, closing(SshConnection(where, dialer)) as connection:
        source = Pieces("large", (Stretch(tmp_path / "large", 0, len(content)),))
        connection.send_file(source, str(tmp_path / "copy"), lambda done, total: heard.append((done, total)))
        connection.fetch_file(str(tmp_path / "copy"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    assert heard[-1] == (len(content), len(content))


def test_a_connection_that_ends_in_the_middle_is_told_from_a_command_that_failed(user: Client, server: Sshd) -> None:
    where = endpoint(user.config(""), "node1", address="127.0.0.1", port=server.port)
    passwords = Answers().passwords()
    with closing(Dialer(passwords)) as dialer, closing(ShellHost(SshConnection(where, dialer), passwords)) as host:
        assert host.run(["sh", "-c", "exit 3"], as_root=False).exit_code == 3
        with pytest.raises(failures.ConnectionBroke):
            host.run(["sh", "-c", "kill -9 $(ps -o ppid= -p $PPID); sleep 60"], as_root=False)


def test_a_command_that_hangs_is_left_after_its_time(user: Client, server: Sshd) -> None:
    where = endpoint(user.config(""), "node1", address="127.0.0.1", port=server.port)
    passwords = Answers().passwords()
    with closing(Dialer(passwords)) as dialer, closing(ShellHost(SshConnection(where, dialer), passwords)) as host:
        with pytest.raises(failures.HostSilent, match="did not end within"):
            host.run(["sleep", "600"], seconds=0.3, as_root=False)
        assert host.run(["true"], as_root=False).is_success
