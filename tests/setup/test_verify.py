"""Whether the stack works, by what its Prometheus says: each claim, each way it can fail, and what is told to do."""

from __future__ import annotations

import json

import pytest

from gpumon_setup.failures import Unreachable
from gpumon_setup.verify import Check, Verifier
from gpumon_setup.verify.closed import closed
from setup.deployments import CONFIG, Cluster
from setup.fake_host import FakeHost


def deployed(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster.run("--yes") == 0
    capsys.readouterr()


def failing(cluster: Cluster, capsys: pytest.CaptureFixture[str], *typed: str) -> list[str]:
    """The lines of what does not hold."""
    assert cluster.run("verify", *typed) == 1
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]


def test_a_deployed_cluster_is_well_and_says_what_to_type_next(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(cluster, capsys)
    assert cluster.run("verify") == 0
    said = capsys.readouterr()
    assert "ok      node_exporter is scraped: head,gpu[1-2]" in said.out
    assert "ok      dcgm_exporter is scraped: gpu[1-2]" in said.out
    assert "ok      Grafana reaches Prometheus: head" in said.out
    assert "ok      prometheus is shut to other machines: gpu1" in said.out
    assert said.out.endswith("checks are ok.\n")
    assert "gpumon status" in said.err
    assert "ssh -L 9090:127.0.0.1:9090 head" in said.err


def test_the_end_of_a_deployment_is_the_truth(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.prometheus.errors["gpu2:9400"] = "Get http://10.77.0.4:9400/metrics: context deadline exceeded"
    assert cluster.run("--yes") == 1
    said = capsys.readouterr().out
    assert "FAILED  dcgm_exporter is scraped: gpu2: Get http" in said
    assert "let 10.77.0.2 in to its TCP port 9400" in said


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("dial tcp 10.77.0.3:9100: connect: connection refused", "docker logs gpumon-node-exporter"),
        ("dial tcp 10.77.0.3:9100: i/o timeout", "let 10.77.0.2 in to its TCP port 9100"),
        ("dial tcp: lookup gpu1: no such host", "[setup.machines.gpu1] address"),
        ("server returned HTTP status 500", "On gpu1: docker logs"),
    ],
)
def test_a_target_that_is_down_is_told_with_what_to_do(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], error: str, advice: str
) -> None:
    deployed(cluster, capsys)
    cluster.prometheus.errors["gpu1:9100"] = error
    (line,) = failing(cluster, capsys)
    assert "node_exporter is scraped: gpu1" in line
    assert advice in line


def test_an_exporter_without_a_gpu_is_not_well_though_it_is_up(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(cluster, capsys)
    cluster.prometheus.values["timestamp(DCGM_FI_DEV_GPU_TEMP)"] = {"gpu1": 3.0}
    (line,) = failing(cluster, capsys)
    assert "numbers of dcgm_exporter are fresh: gpu2: Prometheus holds none of DCGM_FI_DEV_GPU_TEMP" in line


def test_numbers_older_than_two_intervals_are_not_fresh(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    cluster.prometheus.values["timestamp(node_load1)"] = {"head": 3.0, "gpu1": 29.9, "gpu2": 31.0}
    (line,) = failing(cluster, capsys)
    assert "gpu2: the newest is 31 s old" in line


def test_a_node_has_as_many_gpus_as_slurm_counts(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster["head"].sections["slurm.nodes"] = "NodeName=gpu1 Gres=gpu:4\nNodeName=gpu2 Gres=gpu:4\n"
    deployed(cluster, capsys)
    cluster.prometheus.values["UUID"] = {"gpu1": 3.0, "gpu2": 4.0}
    (line,) = failing(cluster, capsys)
    assert "gpu1: Prometheus sees 3, Slurm counts 4" in line


def test_rules_that_are_not_there_or_fail_are_told(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    for health, words in (("err", "rules of gpumon-gpu-alerts fail"), ("", "those of gpumon are not there")):
        groups: list[object] = [
            {"name": "gpumon-gpu", "rules": []},
            {"name": "gpumon-gpu-alerts", "rules": [{"health": health}]},
        ]
        cluster.prometheus.pages["/rules"] = 200, {"data": {"groups": groups if health else []}}
        (line,) = failing(cluster, capsys)
        assert words in line


@pytest.mark.parametrize(
    ("status", "page", "words"),
    [
        (401, b"{}", "it does not take admin's password"),
        (400, b'{"message": "Plugin not found"}', "Plugin not found"),
        (502, b"<html>", "it answered with HTTP status 502"),
    ],
)
def test_a_grafana_that_does_not_reach_its_source_is_told(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], status: int, page: bytes, words: str
) -> None:
    deployed(cluster, capsys)
    cluster.prometheus.pages["/gpumon-prom/health"] = status, page
    (line,) = failing(cluster, capsys)
    assert words in line


def test_what_others_reach_and_should_not_is_told(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    cluster.prometheus.open_ports.add(9090)
    (line,) = failing(cluster, capsys)
    assert "prometheus is shut to other machines: gpu1: it reaches 10.77.0.2 port 9090" in line


def test_what_is_open_because_it_was_asked_for_is_no_fault(cluster: Cluster) -> None:
    cluster.configure(f'{CONFIG}[setup.prometheus]\nlisten = "all"\n')
    cluster.prometheus.open_ports.add(9090)
    assert cluster.run("--yes") == 0


@pytest.mark.parametrize("page", [b"<html>login</html>", b"[]", b'{"status":"success"}'])
def test_whatever_is_no_prometheus_is_one_sentence(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], page: bytes
) -> None:
    deployed(cluster, capsys)
    cluster.prometheus.pages["/targets"] = 200, page
    (line,) = failing(cluster, capsys)
    assert "Prometheus answers: head" in line


def test_a_prometheus_that_is_not_there_is_one_sentence(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    lines = failing(cluster, capsys)
    assert "Connection refused. docker ps" in lines[-1] + lines[0]
    assert "Not deployed yet: gpumon setup." in "".join(lines)


def test_a_machine_that_cannot_be_asked_is_no_success(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    cluster.unreachable["gpu2"] = Unreachable("gpu2", "it is off.")
    assert failing(cluster, capsys) == []
    cluster.unreachable["head"] = Unreachable("head", "it is off.")
    with pytest.raises(Unreachable, match="head"):
        cluster.run("verify")


def test_json_holds_every_check(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    cluster.prometheus.errors["gpu1:9100"] = "no \x1b[31mroute"
    assert cluster.run("verify", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "gpumon.setup.verify/1"
    assert told["is_ok"] is False
    (failed,) = [check for check in told["checks"] if not check["is_ok"]]
    assert failed["host"] == "gpu1"
    assert "\x1b" not in failed["problem"]


def test_without_a_shell_that_can_try_nobody_says_it_is_shut() -> None:
    host = FakeHost("gpu1")
    assert [check.is_ok for check in closed(host, "10.77.0.2", {"grafana": 3000})] == [False]


def test_the_password_is_in_no_argument(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    cluster.run("verify")
    (url,) = {url for url in cluster.prometheus.asked if "datasources" in url}
    assert url == "http://127.0.0.1:3000/api/datasources/uid/gpumon-prom/health"


class Late(Verifier):
    """Well from the third look on."""

    looks = 0

    def look(self) -> object:  # type: ignore[override]  # a list is looked through as an iterator is
        Late.looks += 1
        return [Check("it is so", "head", "" if Late.looks > 2 else "not yet")]


def test_it_waits_for_what_comes_late_and_no_longer_than_that(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    del cluster
    pauses: list[float] = []
    late = Late(None, (), None, None, pauses.append)  # type: ignore[arg-type]  # none of them is asked
    assert all(check.is_ok for check in late.until_well(1000.0))
    assert len(pauses) == 2
    Late.looks = -10
    assert not all(check.is_ok for check in late.until_well(-1.0))
