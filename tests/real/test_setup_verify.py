"""What `gpumon setup verify` says of a real Prometheus that runs as the setup configures it and asks real pages."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from gpumon_setup.components.prometheus import Prometheus
from gpumon_setup.components.prometheus_places import FOLDER
from gpumon_setup.host import LocalConnection, Passwords, ShellHost
from gpumon_setup.resources import File
from gpumon_setup.verify import Verifier
from gpumon_setup.verify.closed import closed
from gpumon_setup.verify.fetching import FETCH, NotFetched, fetched
from needs import skipped_or_failed
from real.daemons import Daemon, Missing, free_port, program, until
from real.exporters import TextExporter
from setup.components.places import place
from setup.deployments import Cluster, cluster

__all__ = ["cluster"]
Serve = Callable[[str], TextExporter]
NODES = "NodeName=gpu1 Gres=gpu:h100:4\nNodeName=gpu2 Gres=gpu:h100:4\n"


@pytest.fixture
def here(endings: ExitStack) -> ShellHost:
    """This machine, in the master's place."""
    host = ShellHost(LocalConnection("head"), Passwords())
    endings.callback(host.close)
    return host


def gpus(number: int) -> str:
    """What a dcgm-exporter says of so many GPUs."""
    names = (f'gpu="{index}",UUID="GPU-{index}",modelName="H100"' for index in range(number))
    return "".join(f"DCGM_FI_DEV_GPU_TEMP{{{name}}} 40\nDCGM_FI_DEV_FB_USED{{{name}}} 1\n" for name in names)


def failing(verifier: Verifier) -> dict[tuple[str, ...], str]:
    """What does not hold now, by claim and machine."""
    return {(check.claim, check.host): check.problem for check in verifier.look() if not check.is_ok}


@pytest.mark.parametrize("release", ["system", "newest"])
def test_a_real_prometheus_is_well_and_every_fault_is_seen(
    cluster: Cluster, tmp_path: Path, endings: ExitStack, here: ShellHost, serve: Serve, release: str
) -> None:
    try:
        command = program("prometheus", release)
    except Missing as missing:
        skipped_or_failed(missing)
        raise
    cluster["head"].sections["slurm.nodes"] = NODES
    port = free_port()
    more = f"[setup.prometheus]\nport = {port}\nscrape_interval = 1\n"
    site = place(cluster, "head", more, setup='without = ["grafana"]').site
    pages = {f"{name}:9100": serve("node_load1 0.5\n") for name in ("head", "gpu1", "gpu2")}
    pages |= {f"{name}:9400": serve(gpus(4)) for name in ("gpu1", "gpu2")}
    pages["head:8080"] = serve("slurm_up 1\n")
    etc = tmp_path / "etc"
    for file in Prometheus().wanted(place(cluster, "head", more, setup='without = ["grafana"]')):
        if isinstance(file, File) and file.path.startswith(FOLDER):
            target = etc / file.path.removeprefix(f"{FOLDER}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content.replace(FOLDER.encode(), str(etc).encode()))
    for targets in (etc / "targets").iterdir():
        told = json.loads(targets.read_text())
        for one in told:
            one["targets"] = [pages[one["labels"]["instance"]].address]
        targets.write_text(json.dumps(told))
    daemon = Daemon(
        lambda _: [*command, f"--config.file={etc}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
                   f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
        "/-/ready", tmp_path / "log", port,
    )  # fmt: skip
    daemon.start()
    endings.callback(daemon.stop)
    verifier = Verifier(site, ("head", "gpu1", "gpu2"), here, None)
    until(lambda: not failing(verifier), "all is well")

    def until_seen(*fault: str) -> str:
        """The problem, once it is seen."""
        seen: dict[tuple[str, ...], str] = {}
        until(lambda: seen.update(failing(verifier)) or fault in seen, f"{fault}")
        return seen[fault]

    pages["gpu1:9400"].text = gpus(3)
    until_seen("as many GPUs as Slurm counts", "gpu1")
    pages["gpu1:9400"].text = "# nothing\n"
    until_seen("numbers of dcgm_exporter are fresh", "gpu1")
    pages["head:8080"].text = "slurm_up 0\n"
    until_seen("Slurm answers its exporter", "head")
    pages["gpu2:9100"].text = "<html>"
    assert until_seen("node_exporter is scraped", "gpu2")
    daemon.stop()
    assert "onnect" in until_seen("Prometheus answers", "head")


@pytest.mark.parametrize("tool", ["curl", "python3"])
def test_a_page_is_fetched_by_whatever_the_machine_has(
    tmp_path: Path, here: ShellHost, serve: Serve, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    if tool == "python3":
        monkeypatch.setattr(
            "gpumon_setup.verify.fetching.FETCH", FETCH.replace("command -v curl", "command -v curl-that-is-nowhere")
        )
    password = tmp_path / "password"
    password.write_text("s3 cret\n")
    page = serve("a\nb")
    url = f"http://{page.address}/x?query=up%7B%7D"
    assert fetched(here, url).body == b"a\nb"
    assert fetched(here, url, password_file=str(password)).status == 200
    with pytest.raises(NotFetched, match=r"[Cc]onnect"):
        fetched(here, f"http://127.0.0.1:{free_port()}/")


def test_only_a_new_connection_tells_whether_a_port_is_shut(here: ShellHost) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        ports = {"prometheus": listening.getsockname()[1], "grafana": free_port()}
        assert [check.is_ok for check in closed(here, "127.0.0.1", ports)] == [False, True]
