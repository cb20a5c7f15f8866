"""The labels that each kind of query wants, as typed structs: decoding leaves everything else aside."""

from __future__ import annotations

import msgspec


class TargetLabels(msgspec.Struct, gc=False, frozen=True):
    """Who said it."""

    job: str = ""
    instance: str = ""
    node: str = ""
    """Written by our own setup, or by a site's relabelling: the name Slurm uses."""


class GpuLabels(msgspec.Struct, gc=False, frozen=True):
    """Everything dcgm-exporter says about a GPU in labels, in all its spellings."""

    name: str = msgspec.field(name="__name__", default="")
    UUID: str = ""
    gpu_uuid: str = ""
    """NVLink families' spelling of UUID."""
    GPU_I_ID: str = ""
    GPU_I_PROFILE: str = ""
    gpu: str = ""
    modelName: str = ""  # noqa: N815  the label is spelled so
    Hostname: str = ""
    """Spelling up to dcgm-exporter 4.8.2."""
    hostname: str = ""
    """Spelling since dcgm-exporter's pull request 655 of May 2026."""
    node: str = ""
    instance: str = ""
    job: str = ""
    pci_bus_id: str = ""
    DCGM_FI_DRIVER_VERSION: str = ""
    hpc_job: str = ""
    jobid: str = ""
    """Princeton's way to name the job on a DCGM metric."""
    clock_event: str = ""
    xid: str = ""
    err_code: str = ""


class GpuKeyLabels(msgspec.Struct, gc=False, frozen=True):
    """What identifies a GPU, and what distinguishes several series of one."""

    UUID: str = ""
    GPU_I_ID: str = ""
    clock_event: str = ""
    hpc_job: str = ""
    jobid: str = ""

    @property
    def key(self) -> str:
        """As in `Gpu.key`."""
        return f"{self.UUID}/{self.GPU_I_ID}" if self.GPU_I_ID else self.UUID


class NodeLabels(msgspec.Struct, gc=False, frozen=True):
    """What node_exporter's plain numbers carry."""

    name: str = msgspec.field(name="__name__", default="")
    job: str = ""
    instance: str = ""
    node: str = ""
    nodename: str = ""
    """Of node_uname_info: the machine's own idea of its name."""
    mountpoint: str = ""
    device: str = ""


class LastWordLabels(GpuLabels, gc=False, frozen=True):
    """Labels of the last samples of a silent target, whichever exporter it was."""

    nodename: str = ""
    mountpoint: str = ""
    device: str = ""


class JobLabels(msgspec.Struct, gc=False, frozen=True):
    """What gpumon_job_info says about a job."""

    job_id: str = ""
    array_job_id: str = ""
    array_task_id: str = ""
    het_job_id: str = ""
    user: str = ""
    account: str = ""
    partition: str = ""
    qos: str = ""
    name: str = ""
    state: str = ""
    reason: str = ""
    nodes: str = ""


class JobKeyLabels(msgspec.Struct, gc=False, frozen=True):
    """A job's id alone."""

    job_id: str = ""


class JobGpuLabels(msgspec.Struct, gc=False, frozen=True):
    """Which job holds which GPU of which node; with the metric's name for answers that hold several."""

    name: str = msgspec.field(name="__name__", default="")
    job_id: str = ""
    node: str = ""
    exported_node: str = ""
    """What `node` is called where Prometheus has a `node` of its own for the target (without honor_labels)."""
    gpu: str = ""
    """Slurm's number on that node, also of a MIG slice."""
    share: str = ""
    """"whole", "mig" or "shard"."""
    type: str = ""
    """Slurm's GRES type."""


class GpuMapLabels(msgspec.Struct, gc=False, frozen=True):
    """What one of Slurm's numbers means on its node (gpumon_slurm_gpu_info)."""

    node: str = ""
    exported_node: str = ""
    """As in `JobGpuLabels`."""
    gpu: str = ""
    UUID: str = ""
    GPU_I_ID: str = ""


class GpuJobLabels(msgspec.Struct, gc=False, frozen=True):
    """A GPU whose job is the value of the series (jobstats' nvidia_gpu_jobId)."""

    uuid: str = ""
    """Of a slice the slice's own, "MIG-..."."""
    ordinal: str = ""
    """The driver's index of the card."""
    GPU_I_ID: str = ""
    instance: str = ""
    node: str = ""


class NodeJobLabels(msgspec.Struct, gc=False, frozen=True):
    """A job on a node, without a word on its GPUs (soperator's slurm_node_job)."""

    job_id: str = ""
    node_name: str = ""


class NameLabels(msgspec.Struct, gc=False, frozen=True):
    """A metric's name alone."""

    name: str = msgspec.field(name="__name__", default="")
