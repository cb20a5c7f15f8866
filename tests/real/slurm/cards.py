"""What dcgm-exporter would tell of the cluster's whole cards, of which only the device files exist."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from slurm_site.layout import NODES, Node

MODELS = {"h100": "NVIDIA H100 80GB HBM3", "a100": "NVIDIA A100-SXM4-80GB", "l40s": "NVIDIA L40S", "": "Tesla T4"}
MIG_NODE = "mig01"
"""Its slices have no cards here, and so it has no numbers."""
METRICS = {
    "DCGM_FI_DEV_GPU_UTIL": 93,
    "DCGM_FI_DEV_GPU_TEMP": 61,
    "DCGM_FI_DEV_POWER_USAGE": 512.5,
    "DCGM_FI_DEV_FB_USED": 40960,
    "DCGM_FI_DEV_FB_FREE": 40598,
}


def card_text() -> str:
    """The page of an exporter that tells of every node's cards, which are all alike busy."""
    labels = [label for node in NODES if node.runs and node.name != MIG_NODE for label in _cards(node)]
    families = (
        f"# TYPE {name} gauge\n" + "".join(f"{name}{label} {number}\n" for label in labels)
        for name, number in METRICS.items()
    )
    return "".join(families)


def _cards(node: Node) -> Iterator[str]:
    kinds = re.findall(r"gpu:(?:([a-z]\w*):)?(\d+)", node.gres)
    for index, kind in enumerate(kind for kind, count in kinds for _ in range(int(count))):
        unique = uuid.uuid5(uuid.NAMESPACE_DNS, f"{node.name}-{index}")
        yield (
            f'{{gpu="{index}",UUID="GPU-{unique}",device="nvidia{index}",modelName="{MODELS[kind]}",'
            f'Hostname="{node.name}"}}'
        )
