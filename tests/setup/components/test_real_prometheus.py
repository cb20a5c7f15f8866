"""What is written for Prometheus, read by the real promtool and by real servers of two generations."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gpumon_setup.components.prometheus import Prometheus
from gpumon_setup.components.prometheus_files import rules
from gpumon_setup.resources import File
from needs import skipped_or_failed
from real.daemons import Daemon, Missing, program, until
from setup.components.places import container_of, place
from setup.deployments import Cluster

pytestmark = pytest.mark.real

FOLDER = "/etc/gpumon/prometheus"
EVERYTHING = """
[setup.prometheus]
slurm_metrics = true
alertmanagers = ["alerts:9093"]
remote_write = [
  { url = "http://127.0.0.1:9/push", username = "u$(id)\\"", password = { file = "secret" }, headers = { A = "b: #" } },
  { url = "http://127.0.0.1:9/write", bearer_token = { file = "secret" } },
]
"""


@pytest.fixture
def endings() -> Iterator[ExitStack]:
    """What a test started, ended in reverse."""
    with ExitStack() as stack:
        yield stack


def found(name: str, release: str) -> list[str]:
    """A daemon's command, or the end of the test."""
    try:
        return program(name, release)
    except Missing as missing:
        skipped_or_failed(missing)
        raise


def promtool(*words: str | Path, folder: Path) -> None:
    """Runs it; what it complains of ends the test."""
    done = subprocess.run(
        [*found("promtool", "system"), *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


def written(cluster: Cluster, folder: Path, more: str) -> tuple[str, ...]:
    """Everything that Prometheus reads, below `folder`; its flags."""
    (cluster.file.parent / "secret").write_text("s3cret")
    where = place(cluster, "head", more, setup='cluster = "west"')
    for file in Prometheus().wanted(where):
        if isinstance(file, File) and file.path.startswith(FOLDER):
            target = folder / file.path.removeprefix(f"{FOLDER}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content.replace(FOLDER.encode(), str(folder).encode()))
    return tuple(flag.replace(FOLDER, str(folder)) for flag in container_of(Prometheus(), where).command)


@pytest.mark.parametrize("more", ["", EVERYTHING])
def test_promtool_accepts_the_configuration_and_all_it_names(cluster: Cluster, tmp_path: Path, more: str) -> None:
    written(cluster, tmp_path / "etc", more)
    promtool("check", "config", "etc/prometheus.yml", folder=tmp_path)


def test_the_rules_say_what_is_wrong_and_nothing_of_what_is_well(tmp_path: Path) -> None:
    for name in ("recording.yml", "alerts.yml"):
        (tmp_path / name).write_bytes(rules(name))
    test = Path(__file__).with_name("alerts.test.yml")
    (tmp_path / test.name).write_bytes(test.read_bytes())
    promtool("test", "rules", test.name, folder=tmp_path)


@pytest.mark.parametrize("release", ["system", "newest"])
def test_a_real_server_runs_with_our_flags_and_takes_new_targets_and_a_new_configuration(
    cluster: Cluster, tmp_path: Path, endings: ExitStack, release: str
) -> None:
    command = found("prometheus", release)
    flags = written(cluster, tmp_path / "etc", "")

    def line(port: int) -> Sequence[str]:
        own = [flag for flag in flags if not flag.startswith(("--storage.tsdb.path", "--web.listen"))]
        return [*command, *own, f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}"]

    daemon = Daemon(line, "/-/ready", tmp_path / "log")
    daemon.start()
    endings.callback(daemon.stop)

    def asked(path: str) -> Any:
        with urllib.request.urlopen(f"{daemon.url}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)["data"]

    def nodes() -> set[str]:
        return {
            one["labels"].get("node", "") for one in asked("targets")["activeTargets"] if one["scrapePool"] == "node"
        }

    assert {rule["name"] for group in asked("rules")["groups"] for rule in group["rules"]} >= {
        "GpuVanished",
        "NodeDown",
    }
    until(lambda: nodes() == {"head", "gpu1", "gpu2"}, "the targets")
    file = tmp_path / "etc/targets/node.json"
    fewer = [one for one in json.loads(file.read_text()) if one["labels"]["node"] != "gpu2"]
    fresh = file.with_suffix(".fresh")
    fresh.write_text(json.dumps(fewer))
    fresh.rename(file)
    until(lambda: nodes() == {"head", "gpu1"}, "the targets")
    # In this order: one that sends to a dead receiver takes a minute to let go of it.
    written(cluster, tmp_path / "etc", EVERYTHING)
    subprocess.run(["kill", "-HUP", str(daemon.pid)], check=True)
    until(lambda: "\nremote_write:" in asked("status/config")["yaml"], "the new configuration")
