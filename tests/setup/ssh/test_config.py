"""OpenSSH's configuration read as ssh reads it, compared with ssh itself where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gpumon_setup.failures import HostKeyChanged, HostKeyRevoked, HostKeyUnknown, Unreachable
from gpumon_setup.ssh import HostKey, KnownHosts, SshConfig, endpoint, record
from needs import skipped_or_failed

CONFIG = """\
Include {folder}/conf.d/*.conf
Host gpu* !gpu9
    User ann
    Port 2222
Host "gpu1"
    HostName 10.0.0.1
    User bob
Match host 10.0.0.1 user ann
    HostKeyAlias one
Match originalhost gpu2
    ProxyJump gate,inner
Match exec "true"
    Port 9
Host=lab
    hostname=%h.example.org
    identityfile = "{folder}/my key"
    IdentityFile {folder}/%r_%h
Host *
    User everybody
    ConnectTimeout 3
"""
INCLUDED = "Host gpu3\n  User carol\n  Include {folder}/more\n"
MORE = "Port 77\nHost gpu3 other\n  HostName 10.0.0.3\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "10.conf").write_text(INCLUDED.format(folder=tmp_path))
    (tmp_path / "more").write_text(MORE)
    (tmp_path / "config").write_text(CONFIG.format(folder=tmp_path))
    return tmp_path / "config"


@pytest.mark.parametrize("name", ["gpu1", "gpu2", "gpu3", "gpu9", "lab", "other", "GPU1"])
def test_it_says_what_ssh_says(file: Path, name: str) -> None:
    if shutil.which("ssh") is None:
        skipped_or_failed("there is no ssh to compare with")
    file.write_text(file.read_text().replace('Match exec "true"\n    Port 9\n', ""))
    answer = subprocess.run(["ssh", "-G", "-F", file, name], capture_output=True, text=True, check=True).stdout
    told: dict[str, list[str]] = {}
    for line in answer.splitlines():
        keyword, _, value = line.partition(" ")
        told.setdefault(keyword, []).append(value)
    where = endpoint(SshConfig(file, Path("/none")), name)
    assert where.host == told["hostname"][0]
    assert where.user == told["user"][0]
    assert str(where.port) == told["port"][0]
    assert where.known_as == told.get("hostkeyalias", [where.known_as])[0]
    if name == "lab":
        assert [str(key) for key in where.identity_files] == [
            value.replace("%r", where.user).replace("%h", where.host) for value in told["identityfile"]
        ]


def test_what_is_asked_for_holds_over_the_configuration(file: Path) -> None:
    where = endpoint(SshConfig(file, Path("/none")), "gpu1", user="root", port=22, jump="bob@[fd00::1]:2200")
    assert (where.host, where.user, where.port, where.known_as) == ("10.0.0.1", "root", 22, "10.0.0.1")
    assert where.jump is not None
    assert (where.jump.user, where.jump.host, where.jump.port) == ("bob", "fd00::1", 2200)
    assert where.jump.known_as == "[fd00::1]:2200"


def test_several_jumps_stand_one_behind_the_other(file: Path) -> None:
    where = endpoint(SshConfig(file, Path("/none")), "gpu2")
    assert where.jump is not None
    assert where.jump.name == "inner"
    assert where.jump.jump is not None
    assert where.jump.jump.name == "gate"
    assert where.jump.jump.jump is None


def test_jumps_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host a\nProxyJump b\nHost b\nProxyJump a\n")
    with pytest.raises(Unreachable, match="circle"):
        endpoint(SshConfig(tmp_path / "config", Path("/none")), "a")


@pytest.mark.parametrize(("keyword", "value"), [("Port", "http"), ("Port", "0"), ("ProxyJump", "ann@:22")])
def test_what_cannot_be_understood_is_said(tmp_path: Path, keyword: str, value: str) -> None:
    (tmp_path / "config").write_text(f"{keyword} {value}\n")
    with pytest.raises(Unreachable, match="is none"):
        endpoint(SshConfig(tmp_path / "config", Path("/none")), "a")


def test_files_that_include_each_other_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"Include {tmp_path}/config\nUser ann\n")
    assert endpoint(SshConfig(tmp_path / "config", Path("/none")), "a").user == "ann"


KEY, OTHER = HostKey("ssh-ed25519", b"one"), HostKey("ssh-ed25519", b"two")


def known(folder: Path, *lines: str) -> KnownHosts:
    (folder / "known_hosts").write_text("".join(f"{line}\n" for line in lines))
    return KnownHosts([folder / "known_hosts", folder / "none"])


@pytest.mark.parametrize("names", ["gpu1", "a,gpu1,b", "gpu*", "gpu?", "*,!gpu2", "GPU1"])
def test_names_on_a_line_mean_the_host(tmp_path: Path, names: str) -> None:
    known(tmp_path, f"{names} ssh-ed25519 b25l comment").check("gpu1", "gpu1", KEY)


@pytest.mark.parametrize("names", ["gpu2", "gpu*,!gpu1", "gpu", "[gpu1]:2222", "gp[u]1"])
def test_other_names_do_not(tmp_path: Path, names: str) -> None:
    with pytest.raises(HostKeyUnknown):
        known(tmp_path, f"{names} ssh-ed25519 b25l").check("gpu1", "gpu1", KEY)


def test_a_port_is_part_of_the_name(tmp_path: Path) -> None:
    known(tmp_path, "[gpu1]:2222 ssh-ed25519 b25l").check("gpu1", "[gpu1]:2222", KEY)


def test_an_authority_alone_is_not_enough_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(HostKeyUnknown, match="only a certificate authority vouches"):
        known(tmp_path, "@cert-authority * ssh-ed25519 b25l").check("gpu1", "gpu1", KEY)


def test_revoked_wins_over_known_and_changed_over_unknown(tmp_path: Path) -> None:
    with pytest.raises(HostKeyRevoked):
        known(tmp_path, "gpu1 ssh-ed25519 b25l", "@revoked * ssh-ed25519 b25l").check("gpu1", "gpu1", KEY)
    with pytest.raises(HostKeyChanged):
        known(tmp_path, "gpu1 ssh-ed25519 b25l").check("gpu1", "gpu1", OTHER)


def test_of_several_lines_the_first_is_named_whichever_way_it_means_the_host(tmp_path: Path) -> None:
    lines = ("other ssh-ed25519 b25l", "gpu* ssh-rsa dHdv", "a,GPU1,gpu1 ssh-ed25519 b25l")
    hosts = known(tmp_path, *lines)
    assert hosts.algorithms("gpu1") == ("ssh-rsa", "ssh-ed25519")
    with pytest.raises(HostKeyChanged, match=f"{tmp_path}/known_hosts:2 knows"):
        hosts.check("gpu1", "gpu1", OTHER)


def test_a_file_that_was_read_is_read_again_when_it_was_written_to(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    assert not KnownHosts([file]).has("gpu1", "gpu1", KEY)
    record(file, "gpu1", KEY)
    assert KnownHosts([file]).has("gpu1", "gpu1", KEY)
    assert not KnownHosts([file]).has("gpu2", "gpu2", OTHER)
    record(file, "gpu2", OTHER)
    assert KnownHosts([file]).has("gpu2", "gpu2", OTHER)


def test_a_recorded_key_is_known_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    record(file, "gpu1", KEY)
    file.write_text(file.read_text().rstrip("\n"))
    record(file, "gpu2", OTHER)
    KnownHosts([file]).check("gpu1", "gpu1", KEY)
    KnownHosts([file]).check("gpu2", "gpu2", OTHER)
    assert file.parent.stat().st_mode & 0o777 == 0o700
