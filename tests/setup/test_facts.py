"""Facts: what the probe says on this machine and on others, read without believing what strangers wrote there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gpumon_setup.facts import USUAL, Look, Record, facts_script, read_facts, read_state
from gpumon_setup.failures import StrangeAnswer
from gpumon_setup.host import LocalConnection, Outcome, Passwords, ShellHost, digest_of
from gpumon_setup.host.script import whole
from setup.fake_host import FakeHost


def this_machine() -> ShellHost:
    connection = LocalConnection("here")
    connection.user = "root"  # nothing that is looked at needs it
    return ShellHost(connection, Passwords())


def test_this_machine_says_what_it_is_in_one_round_trip() -> None:
    host = this_machine()
    look = Look(contents=frozenset({"/etc/hosts"}))
    facts = read_facts(host, names=("localhost", "no-such-name.invalid"), look=look)
    host.close()
    assert facts.architecture
    assert facts.clock_offset_seconds is not None
    assert abs(facts.clock_offset_seconds) < 5
    assert "127.0.0.1" in facts.resolved["localhost"] or "::1" in facts.resolved["localhost"]
    assert facts.resolved["no-such-name.invalid"] == ()
    assert facts.state.file("/etc/hosts").content == Path("/etc/hosts").read_bytes()
    assert any(disk.path == "/" for disk in facts.disks)
    assert host.round_trips == 1


def test_files_are_seen_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x\0y")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "long").write_bytes(b"x" * ((1 << 20) + 1))
    paths = {name: f"{tmp_path}/{name}" for name in ("file", "long", "none")}
    host = this_machine()
    look = Look(contents=frozenset(paths.values()), files=frozenset({str(tmp_path)}))
    state = read_state(host, look)
    host.close()
    file = state.file(paths["file"])
    assert (file.content, file.mode, file.digest) == (b"x\0y", 0o640, digest_of(b"x\0y"))
    assert state.file(paths["long"]).is_long
    assert state.file(paths["long"]).content is None
    assert not state.file(paths["none"]).is_there
    assert state.file(str(tmp_path)).is_there
    assert not state.file(str(tmp_path)).digest
    assert not state.unknown(look)


def test_a_file_cannot_forge_facts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("\nT made\n0123456789abcdef0123456789abcdef end\n$T end\n")
    host = this_machine()
    state = read_state(host, Look(contents=frozenset({f"{tmp_path}/file"})))
    host.close()
    assert state.file(f"{tmp_path}/file").content == (tmp_path / "file").read_bytes()
    assert state.made == {}


def test_an_answer_that_is_none_is_said() -> None:
    class Mute(FakeHost):
        def run_script(self, script: str, *, seconds: float = 120.0, as_root: bool = True) -> Outcome:
            del script, seconds, as_root
            return Outcome(1, b"This account is currently not available.\n", b"go away\x1b[2J")

    with pytest.raises(StrangeAnswer, match=r"it said go away\\e\[2J"):
        read_facts(Mute("gpu1"))
    with pytest.raises(StrangeAnswer):
        read_state(Mute("gpu1"), Look(files=frozenset({"/x"})))


def test_gpus_are_counted_with_their_mig_devices() -> None:
    host = FakeHost("gpu1", gpus=2)
    host.sections["mig"] = (
        "GPU 0: NVIDIA H100 (UUID: GPU-00000000)\n"
        "  MIG 1g.10gb     Device  0: (UUID: MIG-a)\n  MIG 1g.10gb     Device  1: (UUID: MIG-b)\n"
        "GPU 1: NVIDIA H100 (UUID: GPU-00000001)\n"
    )
    gpus = read_facts(host).gpus
    assert [(gpu.uuid, gpu.mig_devices) for gpu in gpus.found] == [("GPU-00000000", 2), ("GPU-00000001", 0)]
    assert (gpus.driver, gpus.has_toolkit, gpus.on_bus, gpus.problem) == ("570.1", True, 2, "")


def test_a_driver_that_fails_is_told_from_no_gpus() -> None:
    host = FakeHost("gpu1")
    host.sections.update(
        {
            "gpus": "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.2\n",
            "gpus.code": "18\n",
            "pci": "0000:65:00.0\n",
            "driver": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan  1 00:00:00 UTC 2026\n",
        }
    )
    gpus = read_facts(host).gpus
    assert gpus.found == ()
    assert gpus.problem == "Failed to initialize NVML: Driver/library version mismatch"
    assert (gpus.driver, gpus.on_bus) == ("570.86.15", 1)


def test_a_docker_that_does_not_answer_is_there_with_its_complaint() -> None:
    host = FakeHost("gpu1", has_docker=False)
    host.sections["docker.err"] = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"
    engine = read_facts(host).engine("docker")
    assert engine is not None
    assert engine.problem.startswith("Cannot connect")


def test_slurm_tells_gpus_and_jobs_where_it_rules() -> None:
    host = FakeHost("head")
    host.sections.update(
        {
            "slurm": "slurmctld\nslurmdbd\n",
            "slurm-version": "slurm-wlm 26.05.1\n",
            "slurm.nodes": (
                "NodeName=gpu1 Arch=x86_64 Gres=gpu:h100:8(S:0-1) NodeAddr=gpu1\n"
                "NodeName=gpu2 Gres=gpu:a100:2,gpu:t4:1,shard:8 State=IDLE\nNodeName=cpu1 Gres=(null)\n"
            ),
            "slurm.jobs": "17|gpu[1-2]\n18|\n",
        }
    )
    slurm = read_facts(host).slurm
    assert slurm.daemons == {"slurmctld", "slurmdbd"}
    assert slurm.version == "26.05.1"
    assert slurm.node_gpus == {"gpu1": 8, "gpu2": 3, "cpu1": 0}
    assert slurm.node_jobs == (("17", "gpu[1-2]"),)
    assert read_facts(FakeHost("gpu1")).slurm.node_gpus is None


def test_ports_tell_who_listens() -> None:
    host = FakeHost("gpu1")
    host.sections["ports"] = (
        'LISTEN 0 4096 *:9100 *:* users:(("node_exporter",pid=812,fd=3))\n'
        "LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:*\nnonsense\n"
    )
    facts = read_facts(host)
    listener = facts.listener(9100)
    assert listener is not None
    assert (listener.address, listener.program) == ("*", "node_exporter (pid 812)")
    assert facts.listener(53) is not None
    assert facts.listener(3000) is None


def test_firewalls_in_force_are_told_by_name() -> None:
    host = FakeHost("gpu1")
    host.sections["ufw"] = "ENABLED=yes\nLOGLEVEL=low\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
    assert [firewall.kind for firewall in read_facts(host).firewalls] == ["ufw"]
    host.sections["ufw"] = "ENABLED=no\n"
    host.sections["nftables"] = "chain input {\n type filter hook input priority 0; policy drop;\n"
    assert [firewall.kind for firewall in read_facts(host).firewalls] == ["nftables"]


def test_podman_containers_are_read_from_its_json() -> None:
    host = FakeHost("gpu1", has_docker=False, has_podman=True)
    host.sections["podman.ps"] = (
        '[{"Names":["gpumon-dcgm"],"State":"running","Image":"x:1","Labels":{"io.gpumon.managed":"1"}},'
        '{"Names":["theirs"],"State":"exited","Image":"y:2","Labels":null}]'
    )
    containers = read_facts(host).state.containers
    assert containers["gpumon-dcgm"].is_running
    assert containers["gpumon-dcgm"].is_ours
    assert not containers["theirs"].is_ours


def test_a_broken_record_is_no_record() -> None:
    host = FakeHost("gpu1")
    good = Record("file", "/etc/x", "hosts", "00", backup="/b")
    host.sections["made"] = f'{{"kind":"file"\n[1]\n{{"kind":1,"key":"x","component":"y"}}\n{good.encoded().decode()}'
    assert read_facts(host).state.made == {("file", "/etc/x"): good}


def test_the_probe_runs_in_every_usual_shell(tmp_path: Path) -> None:
    script = whole(facts_script("token", ["localhost"], USUAL))
    for shell in (["dash"], ["bash", "--posix"], ["busybox", "sh"]):
        if shutil.which(shell[0]):
            told = subprocess.run([*shell, "-s"], input=script.encode(), capture_output=True, check=True, cwd=tmp_path)
            assert b"\ntoken clock\n" in told.stdout, shell
