"""Real dcgm-exporter texts become GPUs, each peculiarity levelled."""

from __future__ import annotations

import pytest

from gpumon.model import Dialect, Gpu, GpuDetail
from gpumon.prometheus.labels import GpuLabels
from gpumon.reading import gpus as reading
from gpumon.reading.gpu_dialect import gpu_dialect
from gpumon.reading.gpus import GpuReadings
from gpumon.reading.holders import Holders
from gpumon.reading.names import NodeNames
from samples import captured, samples

MIB = 2**20


def read(*texts: str, instance: str = "host:9400") -> GpuReadings:
    readings = GpuReadings()
    for place, text in enumerate(texts):
        told_by = instance if len(texts) == 1 else f"host{place}:9400"
        reading.read_samples(samples(text, GpuLabels, job="dcgm", instance=told_by), NodeNames(), readings)
    reading.settle_slices(readings)
    reading.settle_memory(readings)
    return readings


def built(readings: GpuReadings) -> tuple[Gpu, ...]:
    order = reading.in_order(readings.devices)
    details = reading.details(order, readings, [1000.0] * len(order))
    held = Holders(order, {key: tuple(sorted(ids)) for key, ids in readings.jobs.items()})
    return reading.gpus(order, readings, details, held, [(1000.0, False)] * len(order))


def dialect(readings: GpuReadings) -> Dialect:
    found = gpu_dialect(readings, {1}, 1000.0)
    assert found is not None
    return found


def test_stock_counters_of_an_l40s() -> None:
    readings = read(captured("dcgm-l40s-upcloud.prom"))
    (gpu,) = built(readings)
    assert gpu.device.node == "gpu1-wl8sg"
    assert gpu.device.model == "NVIDIA L40S"
    assert gpu.device.driver == "595.58.03"
    assert gpu.device.memory_total_bytes == (45459 + 0 + 608) * MIB
    assert (gpu.utilization, gpu.temperature_celsius, gpu.power_watts) == (0.0, 32.0, 35.686)
    assert gpu.detail.energy_joules == pytest.approx(5551899.58)
    assert (gpu.tensor_active, gpu.dram_active, gpu.sm_active) == (0.0, 0.000131, None)
    assert gpu.detail.row_remap_failed is False
    assert gpu.detail.pcie_sent_bytes_per_second == 175084.0


def test_a_memory_temperature_of_zero_degrees_is_no_temperature() -> None:
    (gpu,) = built(read(captured("dcgm-l40s-upcloud.prom")))
    assert gpu.detail.memory_temperature_celsius is None


def test_what_the_counters_file_lacks_is_named_with_its_line() -> None:
    lacks = {lack.metric: lack for lack in dialect(read(captured("dcgm-l40s-upcloud.prom"))).lacks}
    assert set(lacks) == {
        "DCGM_FI_PROF_SM_ACTIVE",
        "DCGM_FI_DEV_XID_ERRORS",
        "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL",
        "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",
        "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
        "DCGM_FI_DEV_POWER_MGMT_LIMIT",
    }
    assert "DCGM_FI_PROF_SM_ACTIVE, gauge, The ratio of cycles" in lacks["DCGM_FI_PROF_SM_ACTIVE"].remedy
    assert lacks["DCGM_FI_PROF_SM_ACTIVE"].fields == ("sm_active",)


def test_the_new_spelling_of_hostname_names_the_same_node() -> None:
    old, new = (built(read(captured(f"dcgm-{name}.prom"))) for name in ("l4-eks", "constructed-lowercase-hostname"))
    assert old == new
    assert old[0].device.node == "i-030791dc5a37cd257"
    assert "label hostname" in dialect(read(captured("dcgm-constructed-lowercase-hostname.prom"))).variant


def test_a_container_id_is_not_taken_for_a_node() -> None:
    readings = read(captured("dcgm-t4-throttle-minor.prom"), instance="gpu-b02:9400")
    (gpu,) = built(readings)
    assert gpu.device.node == "gpu-b02"
    assert gpu.detail.throttle_reasons is not None
    assert "container" in dialect(readings).variant


def test_mig_slices_stand_for_their_card() -> None:
    gpus = built(read(captured("dcgm-a800-8gpu-mig.prom")))
    assert [gpu.device.number for gpu in gpus] == ["0.3", "0.5", "0.6", "1", "2", "3", "4", "5", "6", "7"]
    first = gpus[0]
    assert first.device.mig is not None
    assert first.device.mig.profile == "2g.20gb"
    assert first.device.key.endswith("/3")
    assert len({gpu.device.uuid for gpu in gpus}) == 8
    assert first.memory_used_bytes == 10 * MIB


def test_a_slices_utilization_is_its_engines() -> None:
    gpus = built(read(captured("dcgm-issue-dra166-a100-mig.prom")))
    assert [gpu.utilization for gpu in gpus[:2]] == [0.029399, 0.033893]


def test_a_busy_flag_of_a_card_is_not_believed_of_its_slices() -> None:
    text = (
        'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",GPU_I_ID="3",Hostname="n"} 0\n'
        'DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="0",UUID="GPU-1",GPU_I_ID="3",Hostname="n"} 0.7\n'
        'DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",Hostname="n"} 55\n'
    )
    (gpu,) = built(read(text))
    assert (gpu.utilization, gpu.temperature_celsius, gpu.device.number) == (0.7, 55.0, "0.3")


def test_a_text_where_a_number_belongs_is_missing() -> None:
    good, bad = (built(read(captured(f"dcgm-a800-8gpu-mig{name}.prom"))) for name in ("", "-badvalue"))
    assert [gpu.device for gpu in bad] == [gpu.device for gpu in good]


def test_dcgms_blank_numbers_are_missing() -> None:
    text = (
        'DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1",Hostname="n"} 9223372036854775794\n'
        'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",Hostname="n"} 2147483632\n'
        'DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",Hostname="n"} NaN\n'
        'DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-1",Hostname="n"} +Inf\n'
    )
    (gpu,) = built(read(text))
    assert (gpu.power_watts, gpu.utilization, gpu.temperature_celsius, gpu.memory_used_bytes) == (None,) * 4


def test_hpc_job_names_the_holders_and_doubles_nothing() -> None:
    readings = read(captured("dcgm-constructed-hpc_job.prom"))
    gpus = {gpu.device.number: gpu for gpu in built(readings)}
    assert gpus["1"].jobs == ("12",)
    assert gpus["2"].jobs == ("12", "13")
    assert gpus["0.3"].jobs == ("20",)
    assert gpus["5"].jobs is None
    assert len(gpus) == 10
    assert readings.twice == {}
    assert "hpc_job" in dialect(readings).variant


def test_princetons_job_label_is_read_too() -> None:
    (gpu,) = built(read(captured("dcgm-princeton-jobid.prom")))
    assert gpu.jobs == ("51234567",)


def test_clock_events_become_reasons() -> None:
    (gpu,) = built(read(captured("dcgm-issue-261-clock-events.prom")))
    assert gpu.detail.throttle_reasons is not None
    assert "hardware thermal" in gpu.detail.throttle_reasons


def test_a_mask_of_idle_alone_is_no_reason() -> None:
    gpus = built(read(captured("dcgm-issue-317-a30-mig-throttle.prom")))
    assert {gpu.detail.throttle_reasons for gpu in gpus} == {()}
    assert gpus[0].device.node == "hldy-data-k8s-gpu-a30-node0110"


def test_a_vgpu_without_temperature_and_power_keeps_what_it_has() -> None:
    (gpu,) = built(read(captured("dcgm-vgpu-a100-40c.prom")))
    assert (gpu.temperature_celsius, gpu.power_watts) == (None, None)
    assert gpu.utilization is not None
    assert gpu.device.memory_total_bytes


@pytest.mark.parametrize("name", ["issue-250-v100-hpc", "issue-581-gb200-c2c", "issue-512-h100-mig-pods"])
def test_excerpts_do_not_stumble(name: str) -> None:
    for gpu in built(read(captured(f"dcgm-{name}.prom"))):
        assert gpu.device.uuid


def test_without_profiling_fields_the_dialect_says_so() -> None:
    readings = read('DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",Hostname="n"} 5\n')
    assert "no PROF fields" in dialect(readings).variant


def test_a_gpu_told_by_two_targets_counts_once_and_is_reported() -> None:
    text = captured("dcgm-l4-eks.prom")
    readings = read(text, text)
    assert len(built(readings)) == 1
    assert [len(targets) for targets in readings.twice.values()] == [2]


def test_no_samples_give_no_gpus_and_no_dialect() -> None:
    assert built(read("")) == ()
    assert gpu_dialect(read(""), (), None) is None


def test_xid_counts_add_up_over_codes() -> None:
    text = (
        'DCGM_EXP_XID_ERRORS_COUNT{gpu="0",UUID="GPU-1",Hostname="n",xid="79",window_size_in_ms="300000"} 2\n'
        'DCGM_EXP_XID_ERRORS_COUNT{gpu="0",UUID="GPU-1",Hostname="n",xid="31",window_size_in_ms="300000"} 1\n'
        'DCGM_FI_DEV_XID_ERRORS{gpu="0",UUID="GPU-1",Hostname="n"} 79\n'
    )
    (gpu,) = built(read(text))
    assert (gpu.detail.xid, gpu.detail.xid_recent) == (79, 3)


def test_the_plain_details_are_the_first_fields_of_a_detail() -> None:
    columns = {name: {"k": float(place)} for place, name in enumerate(GpuDetail.__struct_fields__[:19])}
    (detail,) = reading.details(["k"], GpuReadings(values=columns), [None])
    assert [getattr(detail, name) for name in columns] == [float(place) for place in range(19)]


def test_a_gpu_without_rarer_facts_has_empty_ones() -> None:
    (gpu,) = built(read('DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",Hostname="n"} 5\n'))
    assert gpu.detail == GpuDetail(sampled_at=1000.0)
