"""The verbs beside plan and apply, what is typed behind them, and what happens on Ctrl-C."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, current_thread, main_thread

import pytest

from gpumon_setup import command
from gpumon_setup.components import COMPONENTS, Place, Site
from gpumon_setup.facts import read_facts
from gpumon_setup.failures import Locked, SetupError
from gpumon_setup.fleet import Fleet, locked
from gpumon_setup.host import LocalConnection, Passwords, ShellHost
from gpumon_setup.inventory import Inventory, Machine, Role
from gpumon_setup.ssh import SshConfig
from gpumon_setup.verbs import init, talk, trust
from gpumon_setup.verbs.options import SetupOptions
from setup.deployments import Cluster
from setup.fake_host import FakeHost
from setup.sshd import Client, Sshd, client, sshd


def typed(*words: str) -> SetupOptions:
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    command.add_arguments(parser)
    return SetupOptions.of(parser.parse_args(words))


def test_no_verb_means_apply_and_flags_stand_on_either_side() -> None:
    assert typed() == SetupOptions()
    assert typed("--yes").yes
    assert typed("plan", "--limit", "gpu1", "--limit", "gpu2").limit_to == ["gpu1", "gpu2"]
    assert typed("uninstall", "--keep-data").keep_data
    assert typed("init", "--from", "hosts").source == "hosts"


def test_every_verb_has_a_file_that_runs_it() -> None:
    for verb in command.VERBS:
        module = verb.name.replace("-", "_")
        told = subprocess.run(
            [sys.executable, "-c", f"from gpumon_setup.verbs.{module} import run; print(run.__name__)"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert told.stdout == "run\n"


def test_the_command_line_loads_no_ssh_and_nothing_that_works() -> None:
    script = (
        "import argparse, sys; from gpumon_setup import command; command.add_arguments(argparse.ArgumentParser());"
        "print([m for m in sys.modules if m in ('paramiko', 'httpx', 'textual') or m.startswith('gpumon_setup.facts')])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_run_that_asks_no_prometheus_loads_nothing_that_could() -> None:
    script = (
        "import sys; import gpumon_setup.verbs.apply, gpumon_setup.verbs.verify, gpumon_setup.verbs.upgrade;"
        "print([m for m in sys.modules if m in ('paramiko', 'requests', 'prometheus_api_client')])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_ctrl_c_says_what_was_done_and_what_was_not(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(FakeHost):
        def perform(self, *steps: object, **heard: object) -> None:
            del steps, heard
            raise KeyboardInterrupt

    cluster.hosts["gpu1"] = Interrupted("gpu1", "10.77.0.3")
    with pytest.raises(KeyboardInterrupt):
        cluster.run("--yes")
    said = capsys.readouterr().out
    assert "gpu1: 0 of 4 changes made; not known to be whole: write the block hosts into /etc/hosts" in said
    assert "  not begun: run the container gpumon-node-exporter" in said
    assert all(host.is_closed for host in cluster.hosts.values())


def test_a_second_ctrl_c_reaches_no_thread_that_closes_the_ways_to_machines() -> None:
    closed_by: list[Thread] = []

    class Interrupted(FakeHost):
        def perform(self, steps: object, **more: object) -> None:
            del steps, more
            raise KeyboardInterrupt

        def close(self) -> None:
            closed_by.append(current_thread())

    fleet = Fleet([Machine("gpu1", frozenset({Role.NODE}))], lambda machine: Interrupted(machine.name))
    with pytest.raises(KeyboardInterrupt):
        fleet.each(["gpu1"], lambda host: host.perform([]))
    assert closed_by
    assert main_thread() not in closed_by


def test_a_lock_is_held_by_one_at_a_time_and_free_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpumon_setup.fleet.lock._FILE", str(tmp_path / "a lock"))

    def master() -> ShellHost:
        connection = LocalConnection("head")
        connection.user = "root"
        return ShellHost(connection, Passwords())

    first, second = master(), master()
    with locked(first), pytest.raises(Locked, match=r"by \S+ on .*, since 20\d\d-"), locked(second):
        pytest.fail("two hold it")
    with locked(second):
        pass
    first.close()
    second.close()


def test_init_writes_what_can_be_planned_and_never_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    scontrol = folder / "scontrol"
    scontrol.write_text("#!/bin/sh\necho NodeName=gpu01 NodeAddr=gpu01\necho NodeName=gpu02 NodeAddr=gpu02\n")
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    file = tmp_path / "config.toml"
    file.write_text('theme = "dark"')
    options = SetupOptions("init", config=str(file), yes=True)
    assert init.run(options) == 0
    assert file.read_text().startswith('theme = "dark"\n\n# Written by')
    assert 'nodes = ["gpu[01-02]"]' in file.read_text()
    with pytest.raises(SetupError, match=r"has a \[setup\] already"):
        init.run(options)
    assert "gpu[01-02]" in capsys.readouterr().out


def test_a_yes_is_only_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def __init__(self, line: str) -> None:
            self.line = line

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return self.line

    for line, is_yes in (("y\n", True), ("YES\n", True), ("\n", False), ("", False), ("no\n", False), ("yep\n", False)):
        monkeypatch.setattr("sys.stdin", Terminal(line))
        assert talk.is_agreed("Really?") is is_yes


def site(*hosts: FakeHost, addresses: dict[str, str] | None = None) -> Site:
    machines = tuple(
        Machine(host.name, frozenset({Role.NODE}), address=(addresses or {}).get(host.name, "")) for host in hosts
    )
    return Site(Inventory(machines), {host.name: read_facts(host, names=[one.name for one in hosts]) for host in hosts})


def test_an_address_is_the_configurations_else_the_masters_else_ones_own() -> None:
    head = FakeHost("head", "10.0.0.1", resolved={"gpu1": "10.0.0.2", "gpu2": "127.0.1.1", "gpu3": "192.0.2.9"})
    gpu1, gpu2, gpu3 = FakeHost("gpu1", "10.0.0.2"), FakeHost("gpu2", "10.0.0.3"), FakeHost("gpu3", "10.0.0.4")
    where = site(head, gpu1, gpu2, gpu3, addresses={"gpu1": "10.0.0.22"})
    assert [where.address(name) for name in ("head", "gpu1", "gpu2", "gpu3", "gpu9")] == [
        "10.0.0.1", "10.0.0.22", "10.0.0.3", "10.0.0.4", "gpu9",
    ]  # fmt: skip


def test_of_several_addresses_the_one_near_the_master_counts() -> None:
    gpu1 = FakeHost("gpu1")
    gpu1.sections["addresses"] = (
        "2: ib0 inet 172.16.0.9/16 scope global ib0\n3: docker0 inet 10.77.0.200/24 scope global docker0\n"
        "4: eth0 inet 10.77.0.3/24 scope global eth0\n"
    )
    assert site(FakeHost("head"), gpu1).address("gpu1") == "10.77.0.3"


def test_every_component_says_the_same_twice() -> None:
    where = site(FakeHost("head"), FakeHost("gpu1", gpus=4))
    for machine in where.inventory.machines:
        place = Place(machine, where.facts[machine.name], where)
        for component in COMPONENTS:
            assert component.wanted(place) == component.wanted(place)
            assert component.purpose


@pytest.fixture
def user(tmp_path: Path) -> Client:
    return client(tmp_path / "user")


@pytest.fixture
def server(tmp_path: Path, user: Client) -> Iterator[Sshd]:
    with sshd(tmp_path / "server", user) as started:
        yield started


@pytest.mark.real
def test_trust_records_new_keys_behind_new_jump_hosts_and_no_changed_ones(
    tmp_path: Path, user: Client, server: Sshd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with sshd(tmp_path / "gate", user) as gate:
        config = user.config(f"Host gate\nHostName 127.0.0.1\nPort {gate.port}\n")
        monkeypatch.setattr(SshConfig, "of_this_user", lambda: config)
        file = tmp_path / "config.toml"
        file.write_text(
            f'[setup]\nmaster = "head"\nnodes = ["gpu1"]\nport = {server.port}\n[setup.machines.head]\n'
            'address = "127.0.0.1"\n[setup.machines.gpu1]\naddress = "127.0.0.1"\njump = "gate"\n'
        )
        options = SetupOptions("trust", config=str(file), yes=True)
        assert trust.run(options) == 0
        said = capsys.readouterr()
        assert said.out.count("SHA256:") == 2
        assert "2 keys recorded." in said.err
        assert trust.run(options) == 0
        assert "No new keys." in capsys.readouterr().err
        user.knows(server.known().replace(server.public_key, gate.public_key), gate.known())
        before = (user.folder / "known_hosts").read_text()
        assert trust.run(options) == 1
        assert "knows SHA256:" in capsys.readouterr().err
        assert (user.folder / "known_hosts").read_text() == before
