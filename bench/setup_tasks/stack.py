"""For pyinfra: node_exporter everywhere, dcgm-exporter where GPUs are, Prometheus on the master, as gpumon makes them.

The inventory says where `sources` is, a folder with the files that gpumon wrote for the same machines.
"""

from hashlib import sha1
from pathlib import Path

from pyinfra import host
from pyinfra.api import FactBase
from pyinfra.context import config
from pyinfra.operations import files, server
from pyinfra.operations.util import any_changed

config.SUDO = True
KEPT = "--restart=unless-stopped --log-opt=max-size=10m --log-opt=max-file=3 --network=host --cap-drop=ALL"
PROMETHEUS = "quay.io/prometheus/prometheus:v3.5.3"
FOLDER = "/etc/gpumon/prometheus"
PROMTOOL = f"""docker run --rm --pull=never --network=none --cap-drop=ALL --read-only --user=65534:65534 \
--volume={FOLDER}:{FOLDER}:ro --entrypoint=/bin/promtool {PROMETHEUS}"""


class RunningSpec(FactBase):
    """The hash that a container carries while it runs, of the words by which it was made."""

    def command(self, container):
        form = """'{{if .State.Running}}{{index .Config.Labels "spec"}}{{end}}'"""
        return f"docker inspect -f {form} {container} 2>/dev/null || true"

    def process(self, output):
        return "".join(output).strip()


def container(name, words):
    """Runs a container, anew when its words are others."""
    spec = sha1(words.encode(), usedforsecurity=False).hexdigest()
    if host.get_fact(RunningSpec, container=name) == spec:
        return None
    run = f"docker run -d --name={name} --label=spec={spec} {KEPT} --security-opt=no-new-privileges {words}"
    return server.shell(name=f"Run {name}", commands=[f"docker rm -f {name} >/dev/null 2>&1; {run} >/dev/null"])


files.directory(name="The folder for others' numbers", path="/var/lib/gpumon/textfile", mode="755")
skipped = "^/(sys|proc|dev|run/docker|run/user|var/lib/docker|var/lib/containers)($|/)"
container(
    "gpumon-node-exporter",
    "--read-only --volume=/:/host:ro,rslave --pid=host quay.io/prometheus/node-exporter:v1.11.1 "
    f"--path.rootfs=/host --web.listen-address={host.data.address}:9100 "
    f"'--collector.filesystem.mount-points-exclude={skipped}' "
    "--collector.textfile.directory=/host/var/lib/gpumon/textfile",
)

if "gpu" in host.groups:
    files.directory(name="The folder of dcgm-exporter", path="/etc/gpumon/dcgm-exporter", mode="755")
    files.put(
        name="Its counters",
        src=f"{host.data.sources}/dcgm-exporter/counters.csv",
        dest="/etc/gpumon/dcgm-exporter/counters.csv",
        mode="644",
    )
    container(
        "gpumon-dcgm-exporter",
        "--cap-add=SYS_ADMIN --env=NO_SETCAP=yes --volume=/etc/gpumon/dcgm-exporter:/etc/gpumon/dcgm-exporter:ro "
        "--device=nvidia.com/gpu=all nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless "
        f"--collectors=/etc/gpumon/dcgm-exporter/counters.csv --address={host.data.address}:9400 "
        "--collect-interval=15000",
    )

if "master" in host.groups:
    for path in (FOLDER, f"{FOLDER}/targets"):
        files.directory(name=f"The folder {path}", path=path, mode="755")
    files.directory(
        name="The history of Prometheus", path="/var/lib/gpumon/prometheus", mode="750", user="65534", group="65534"
    )
    made = Path(host.data.sources) / "prometheus"
    read = [
        files.put(
            name=f"{file.name} of Prometheus", src=str(file), dest=f"{FOLDER}/{file.relative_to(made)}", mode="644"
        )
        for file in sorted(made.rglob("*"))
        if file.is_file()
    ]
    server.shell(
        name="Whether they can be read",
        commands=[f"{PROMTOOL} check config {FOLDER}/prometheus.yml"],
        _if=any_changed(*read),
    )
    fresh = container(
        "gpumon-prometheus",
        f"--read-only --user=65534:65534 --volume={FOLDER}:{FOLDER}:ro "
        f"--volume=/var/lib/gpumon/prometheus:/prometheus --stop-timeout=60 {PROMETHEUS} "
        f"--config.file={FOLDER}/prometheus.yml --storage.tsdb.path=/prometheus --storage.tsdb.retention.time=30d "
        f"{host.data.size} --web.listen-address=127.0.0.1:9090",
    )
    if fresh is None:
        server.shell(
            name="It reads them anew",
            commands=["docker kill --signal=HUP gpumon-prometheus"],
            _if=any_changed(*read),
        )
