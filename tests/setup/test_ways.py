"""What the master does not reach is said before anything is begun there: its Prometheus would not reach it either."""

from __future__ import annotations

import socket
import subprocess

import pytest

from gpumon_setup.host import Outcome
from gpumon_setup.verbs.ways import WAYS
from setup.deployments import CONFIG, Cluster

SILENT = Outcome(0, b"10.77.0.3 port 22 no answer within 4 s\n")


@pytest.fixture
def cut(cluster: Cluster) -> Cluster:
    """The master does not reach gpu1."""
    assert cluster["gpu1"].address == "10.77.0.3"
    cluster["head"].commands["sh", "-c", WAYS] = lambda _: SILENT
    return cluster


def test_a_node_that_the_master_does_not_reach_is_left_as_it_is(
    cut: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cut["gpu1"].picture()
    assert cut.run("--yes") == 1
    assert "the master does not reach it (10.77.0.3 port 22 no answer within 4 s)" in capsys.readouterr().out
    assert cut["gpu1"].picture() == before
    assert "gpumon-node-exporter" in cut["gpu2"].containers


def test_it_may_be_meant_so(cut: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cut.configure(f'{CONFIG}accept = ["reach"]\n')
    cut.run("plan")
    assert "does not reach" not in capsys.readouterr().out


def test_the_way_is_tried_once_only_and_not_without_bash(cluster: Cluster) -> None:
    tried: list[tuple[str, ...]] = []

    def answer(command: object) -> Outcome:
        tried.append(getattr(command, "argv", ()))
        return Outcome(127)

    cluster["head"].commands["sh", "-c", WAYS] = answer
    assert cluster.run("--yes") == 0
    assert cluster.run("--yes") == 0
    assert [argv[4:] for argv in tried] == [("10.77.0.3", "22", "10.77.0.4", "22")]


def test_who_refuses_is_reached_and_so_is_who_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        answered = subprocess.run(
            ["sh", "-c", WAYS, "sh", "127.0.0.1", port], capture_output=True, text=True, check=True
        )
    refused = subprocess.run(["sh", "-c", WAYS, "sh", "127.0.0.1", port], capture_output=True, text=True, check=True)
    assert (answered.stdout, refused.stdout) == ("", "")


def test_what_no_name_leads_to_is_said() -> None:
    told = subprocess.run(
        ["sh", "-c", WAYS, "sh", "no-such-host.invalid", "22"], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("no-such-host.invalid port 22 ")
