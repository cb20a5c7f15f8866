"""`gpumon gpus --json`, run as a user runs it, agrees number by number with PromQL asked directly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from real.conftest import StartEngine
from real.daemons import Engine, ScrapeJob
from real.exporters import TextExporter, captured

GPUMON = str(Path(sys.executable).parent / "gpumon")

MEASURED: Mapping[str, tuple[str, float]] = {
    "temperature_celsius": ("DCGM_FI_DEV_GPU_TEMP", 1),
    "power_watts": ("DCGM_FI_DEV_POWER_USAGE", 1),
    "memory_used_bytes": ("DCGM_FI_DEV_FB_USED", 2**20),
    "engine_active_share": ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 1),
    "tensor_active_share": ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 1),
    "dram_active_share": ("DCGM_FI_PROF_DRAM_ACTIVE", 1),
    "sm_clock_megahertz": ("DCGM_FI_DEV_SM_CLOCK", 1),
    "memory_clock_megahertz": ("DCGM_FI_DEV_MEM_CLOCK", 1),
    "energy_joules": ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 0.001),
    "memory_free_bytes": ("DCGM_FI_DEV_FB_FREE", 2**20),
    "memory_copy_share": ("DCGM_FI_DEV_MEM_COPY_UTIL", 0.01),
    "pcie_replays": ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", 1),
}
"""Key of the answer or of its `detail` -> the metric it is, and by what it is multiplied."""

TEXTS = {
    "gpu1-wl8sg:9400": "dcgm-l40s-upcloud",
    "i-030791dc5a37cd257:9400": "dcgm-l4-eks",
    "msxf-hpc-64-35-ai:9400": "dcgm-constructed-hpc_job",
}


def asked(engine: Engine, metric: str) -> dict[tuple[str, str], float]:
    """UUID and MIG instance -> value; a GPU of two jobs has the same value twice."""
    return {(s.labels["UUID"], s.labels.get("GPU_I_ID", "")): s.value for s in engine.query(metric)}


def gpumon(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GPUMON, *arguments],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def engine(start_engine: StartEngine, serve: Callable[[str], TextExporter]) -> Engine:
    return start_engine(ScrapeJob("dcgm", {name: serve(captured(text)).address for name, text in TEXTS.items()}))


def test_every_number_is_the_one_that_promql_gives(engine: Engine, tmp_path: Path) -> None:
    done = gpumon("gpus", "--json", "--prometheus", engine.url, home=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["schema"] == "gpumon.gpus/1"
    assert answer["simulated"] is False
    gpus: dict[tuple[str, str], dict[str, Any]] = {(g["uuid"], g["mig_instance"] or ""): g for g in answer["gpus"]}
    assert set(gpus) == set(asked(engine, "DCGM_FI_DEV_GPU_TEMP"))
    compared = 0
    for key, (metric, factor) in MEASURED.items():
        truth = asked(engine, metric)
        for place, gpu in gpus.items():
            expected = truth.get(place)
            shown = {**gpu, **gpu["detail"]}[key]
            assert shown == (None if expected is None else pytest.approx(expected * factor)), (key, place)
            compared += expected is not None
    assert compared > 80


def test_a_prometheus_that_is_gone_is_exit_code_3_and_one_sentence(engine: Engine, tmp_path: Path) -> None:
    engine.daemon.kill()
    done = gpumon("gpus", "--json", "--prometheus", engine.url, home=tmp_path)
    assert done.returncode == 3
    assert "Nobody listens" in done.stderr
    assert "Traceback" not in done.stderr
