"""Texts of exporters for small clusters in which jobs hold GPUs, and the snapshot that is read from them."""

from __future__ import annotations

from collections.abc import Iterable

from fake_prometheus import FakePrometheus
from gpumon.live import PrometheusSource
from gpumon.model import Attribution, ClusterSnapshot
from gpumon.prometheus.client import PrometheusClient
from gpumon.settings import PrometheusSettings, Settings

SLURM = ("slurm", "head:8080")


def line(metric: str, value: float | str = 1, /, **labels: object) -> str:
    """One sample as text."""
    told = ",".join(f'{name}="{escaped(str(text))}"' for name, text in labels.items())
    return f"{metric}{{{told}}} {value}\n"


def escaped(text: str) -> str:
    """A label's value in the text format."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def card(node: str, index: int, util: float | None = 50, /, **labels: object) -> str:
    """A whole card as dcgm-exporter tells it; its UUID is GPU-node-index unless it is named."""
    told = {"gpu": index, "UUID": f"GPU-{node}-{index}", "modelName": "NVIDIA H100", "Hostname": node, **labels}
    used = line("DCGM_FI_DEV_FB_USED", 10, **told)
    return used if util is None else used + line("DCGM_FI_DEV_GPU_UTIL", util, **told)


def mig(node: str, index: int, instance: int, active: float = 0.5, /, **labels: object) -> str:
    """A MIG slice as dcgm-exporter tells it."""
    told = {"gpu": index, "UUID": f"GPU-{node}-{index}", "Hostname": node, "GPU_I_PROFILE": "1g.10gb", **labels}
    told["GPU_I_ID"] = instance
    return line("DCGM_FI_DEV_FB_USED", 10, **told) + line("DCGM_FI_PROF_GR_ENGINE_ACTIVE", active, **told)


def job(number: int, nodes: str = "", /, state: str = "running", **known: object) -> str:
    """A job; `known` are labels, or numbers of the job where they are numbers."""
    numbers = {name: value for name, value in known.items() if isinstance(value, (int, float))}
    labels = {name: value for name, value in known.items() if name not in numbers}
    text = line("gpumon_job_info", job_id=number, state=state, nodes=nodes, **{"user": "ann", **labels})
    for name, value in numbers.items():
        text += line(f"gpumon_job_{name}", value, job_id=number)
    return text


def holds(number: int, node: str, gpus: Iterable[int], share: str = "whole", **labels: object) -> str:
    """GPUs that a job holds, by Slurm's numbers."""
    return "".join(
        line("gpumon_job_gpu", job_id=number, node=node, gpu=gpu, type="h100", share=share, user="ann", **labels)
        for gpu in gpus
    )


def slurm_node(
    name: str, total: float, allocated: float, shared: float = 0, kind: str = "h100", state: str = "mixed"
) -> str:
    """A node as gpumon's Slurm exporter tells it."""
    return (
        line("gpumon_node_info", node=name, state=state, flags="")
        + line("gpumon_node_gpus", total, node=name, type=kind)
        + line("gpumon_node_gpus_allocated", allocated, node=name, type=kind)
        + line("gpumon_node_gpus_shared", shared, node=name, type=kind)
        + line("gpumon_node_gpus_expected", total, node=name)
    )


def mapped(node: str, places: dict[int, str], **labels: object) -> str:
    """A node's own map: for each of Slurm's numbers a UUID, or a UUID and a MIG instance with a slash between."""
    text = ""
    for gpu, key in places.items():
        uuid, _, instance = key.partition("/")
        told = {"node": node, "gpu": gpu, "type": "h100", "UUID": uuid, "GPU_I_ID": instance, **labels}
        text += line("gpumon_slurm_gpu_info", **told)
    return text


UP = line("gpumon_exporter_info", version="1") + "slurm_up 1\ngpumon_exporter_reading_age_seconds 3\n"
"""What a healthy exporter says of itself."""


def site(dcgm: str, slurm: str = "", maps: str = "") -> FakePrometheus:
    """A Prometheus that scrapes one dcgm-exporter, gpumon's Slurm exporter, and one node_exporter with maps."""
    server = FakePrometheus()
    server.scrape(dcgm, job="dcgm", instance="gpus:9400")
    if slurm:
        server.scrape(UP + slurm, job=SLURM[0], instance=SLURM[1])
    if maps:
        server.scrape(maps, job="node", instance="gpus:9100")
    return server


def source(server: FakePrometheus) -> PrometheusSource:
    """Reads it."""
    settings = Settings(prometheus=PrometheusSettings(url="http://head:9090"))
    return PrometheusSource(settings, PrometheusClient(settings.prometheus, transport=server.transport()))


def owners(snapshot: ClusterSnapshot) -> dict[str, tuple[tuple[str, ...] | None, Attribution | None]]:
    """By GPU, who holds it and how that is known."""
    return {gpu.key: (gpu.jobs, gpu.held_by) for gpu in snapshot.gpus}


def jobs_by_gpu(snapshot: ClusterSnapshot) -> dict[str, tuple[str, ...] | None]:
    """By GPU, who holds it."""
    return {gpu.key: gpu.jobs for gpu in snapshot.gpus}
