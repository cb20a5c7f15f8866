"""The simulated exporters over HTTP: what Prometheus asks of them, and what people may ask by mistake."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from json import loads

import pytest
import yaml

from gpumon_demo.cluster import BEGIN, Simulation
from gpumon_demo.dcgm_text import dcgm
from gpumon_demo.server import ExporterServer, serve_forever

Series = tuple[str, frozenset[tuple[str, str]]]
Parse = Callable[[str], "dict[Series, float]"]
NOW = BEGIN + 3.0


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ExporterServer]:
    simulation = Simulation(33, 1, begins_at=BEGIN, falls_silent_at=BEGIN - 60)
    with ExporterServer(simulation=simulation, clock=lambda: NOW) as server:
        yield server


def _get(server: ExporterServer, path: str) -> tuple[int, str, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


def test_a_scrape_is_what_the_simulation_says_at_that_moment(server: ExporterServer) -> None:
    host = server.simulation.hosts[0]
    status, kind, text = _get(server, f"/dcgm/{host.name}/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=0.0.4")
    assert text == dcgm(server.simulation.at(NOW), host)


def test_every_discovered_target_answers_or_is_one_of_the_silent_ones(server: ExporterServer, parse: Parse) -> None:
    troubles, refused = server.simulation.troubles, list[str]()
    for kind in ("dcgm", "node", "slurm"):
        for group in loads(_get(server, f"/sd/{kind}")[2]):
            assert group["targets"] == [server.address]
            status, _, text = _get(server, group["labels"]["__metrics_path__"])
            if status == 200:
                assert parse(text)
            else:
                assert status == 503
                refused.append(group["labels"]["instance"])
    assert set(refused) == {f"{troubles.silent}:9400", f"{troubles.down}:9400", f"{troubles.down}:9100"}


def test_discovery_names_targets_as_a_real_site_would(server: ExporterServer) -> None:
    found = loads(_get(server, "/sd/dcgm")[2])
    assert {"instance": "gpu-a01:9400", "__metrics_path__": "/dcgm/gpu-a01/metrics"} in [
        group["labels"] for group in found
    ]
    nodes = [group["labels"]["instance"] for group in loads(_get(server, "/sd/node")[2])]
    assert nodes == [f"{host.name}:9100" for host in server.simulation.hosts]
    assert not any(group["labels"]["instance"].startswith("cpu") for group in found)


def test_the_configuration_is_one_that_prometheus_takes(server: ExporterServer) -> None:
    status, _, text = _get(server, "/prometheus.yml")
    assert status == 200
    assert text == server.configuration
    configuration = yaml.safe_load(text)
    assert configuration["global"]["scrape_interval"] == "5000ms"
    jobs = {job["job_name"]: job["http_sd_configs"][0]["url"] for job in configuration["scrape_configs"]}
    assert jobs == {kind: f"{server.url}/sd/{kind}" for kind in ("dcgm", "node", "slurm")}


def test_the_first_page_says_what_this_is(server: ExporterServer) -> None:
    status, kind, text = _get(server, "/")
    assert status == 200
    assert kind.startswith("text/plain")
    assert "simulated" in text
    assert "demo, seed 1, 33 nodes" in text


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/dcgm",
        "/dcgm/nobody/metrics",
        "/dcgm/cpu-01/metrics",
        "/slurm/gpu-a01/metrics",
        "/sd",
        "/sd/other",
        "/dcgm/gpu-a01/other",
        "/%00",
        "/../../etc/passwd",
    ],
)
def test_an_unknown_path_is_404(server: ExporterServer, path: str) -> None:
    status, _, text = _get(server, path)
    assert status == 404
    assert "no such exporter" in text


def test_a_query_string_is_no_part_of_the_path(server: ExporterServer) -> None:
    assert _get(server, "/slurm/metrics?x=1")[0] == 200


def test_many_scrapes_at_once_agree(server: ExporterServer) -> None:
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(_get(server, "/slurm/metrics")[2]), daemon=True)
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_a_client_that_goes_away_is_no_news(server: ExporterServer, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        rude = socket.create_connection(("127.0.0.1", server.port))
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        rude.sendall(b"GET /slurm/metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        rude.close()
    assert _get(server, "/slurm/metrics")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_all_exporters_answer_when_a_new_server_starts_so_that_each_is_heard_once() -> None:
    with ExporterServer(12, 1, clock=lambda: NOW) as server:
        silent = server.simulation.troubles.silent
        assert server.simulation.troubles.silent_since(int(NOW)) is None
        assert _get(server, f"/dcgm/{silent}/metrics")[0] == 200
        assert server.simulation.troubles.silent_since(int(NOW) + 400) is not None


def test_a_port_in_use_is_an_os_error(server: ExporterServer) -> None:
    with pytest.raises(OSError, match="in use"):
        serve_forever("127.0.0.1", server.port, nodes=4, seed=1, interval_seconds=5)


def test_serving_tells_when_it_is_ready_and_ends_with_ctrl_c() -> None:
    told: list[tuple[str, int]] = []

    def ready(host: str, port: int) -> None:
        told.append((host, port))
        raise KeyboardInterrupt

    serve_forever("127.0.0.1", 0, nodes=4, seed=1, interval_seconds=5, on_ready=ready)
    assert told[0][0] == "127.0.0.1"
    assert told[0][1] > 0
