"""Every captured text, scraped by every engine and read through the product, leads to the expected picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from gpumon.errors import NoData
from gpumon.live.source import PrometheusSource
from gpumon.model import ClusterSnapshot, Gpu, GpuDetail, Partition, UserUsage
from needs import skipped_or_failed
from real import daemons
from real.conftest import ENGINES
from real.daemons import Engine, Missing, ScrapeJob
from real.exporters import CAPTURED, TextExporter, captured

MIB = 2**20
NATIVE = "slurm-native-26.05-"
BAD = "dcgm-a800-8gpu-mig-badvalue"
"""A text that strict parsers refuse as a whole."""
WITHOUT_ANY_KNOWN_METRIC = "dcgm-issue-581-gb200-c2c"

CASES = sorted(path.stem for path in CAPTURED.glob("*.prom") if not path.stem.startswith(NATIVE))
NATIVE_PARTS = sorted(path.stem for path in CAPTURED.glob(f"{NATIVE}*.prom"))

Read = Callable[[str], ClusterSnapshot]


def job_of(case: str) -> str:
    """The usual scrape job's name."""
    return "dcgm" if case.startswith("dcgm") else "node" if case.startswith("node") else "slurm"


class Fleet:
    """One engine for each text, all started at once because a Prometheus needs five seconds for its first scrape."""

    def __init__(self, kind: str, release: str, base: pytest.TempPathFactory, endings: ExitStack) -> None:
        self._endings = endings
        texts = {case: {"server-a.lab.example:9400": case} for case in CASES}
        texts[NATIVE] = {f"head:{6817 + place}": part for place, part in enumerate(NATIVE_PARTS)}
        self.engines: dict[str, Engine] = {}
        for case, parts in texts.items():
            job = ScrapeJob(job_of(case), {instance: self._serve(part) for instance, part in parts.items()})
            engine = daemons.start_engine(kind, release, [job], base.mktemp(case))
            endings.callback(engine.daemon.stop)
            self.engines[case] = engine

    def _serve(self, name: str) -> str:
        exporter = TextExporter(captured(name))
        self._endings.callback(exporter.stop)
        return exporter.address


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ENGINES])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    kind, release = ENGINES[request.param]
    with ExitStack() as endings:
        try:
            started = Fleet(kind, release, tmp_path_factory, endings)
        except Missing as missing:
            skipped_or_failed(missing)
            raise
        yield started


@pytest.fixture
def read(fleet: Fleet, source_of: Callable[[Engine], PrometheusSource]) -> Read:
    def read_case(case: str) -> ClusterSnapshot:
        engine = fleet.engines[case]
        engine.wait_for_scrapes()
        return source_of(engine).snapshot()

    return read_case


def by_number(snapshot: ClusterSnapshot) -> Mapping[str, Gpu]:
    return {gpu.device.number: gpu for gpu in snapshot.gpus}


@pytest.mark.parametrize("case", [c for c in CASES if c not in (WITHOUT_ANY_KNOWN_METRIC, BAD)])
def test_every_text_becomes_a_picture_with_its_dialect(read: Read, case: str) -> None:
    snapshot = read(case)
    assert snapshot.dialects
    assert snapshot.gpus or snapshot.nodes or snapshot.queue
    assert not snapshot.is_simulated
    assert not any(gpu.is_stale for gpu in snapshot.gpus)
    assert all(gpu.sampled_at is None or abs(gpu.sampled_at - snapshot.taken_at) < 30 for gpu in snapshot.gpus)


def test_a_text_that_prometheus_refuses_is_a_silent_exporter_and_no_number(fleet: Fleet, read: Read) -> None:
    snapshot = read(BAD)
    if fleet.engines[BAD].kind == "prometheus":
        assert snapshot.gpus == ()
        assert snapshot.targets is not None
        (target,) = snapshot.targets
        assert target.health == "down"
        assert "strconv.ParseFloat" in target.last_error
    else:
        assert [gpu.device.number for gpu in snapshot.gpus] == ["0.3", "0.5", "0.6", "1", "2", "3", "4", "5", "6", "7"]


def test_a_text_without_a_known_metric_is_told_as_no_data(read: Read) -> None:
    with pytest.raises(NoData, match="scrapes 1 target"):
        read(WITHOUT_ANY_KNOWN_METRIC)


def test_stock_counters(read: Read) -> None:
    (gpu,) = read("dcgm-l40s-upcloud").gpus
    assert (gpu.node, gpu.device.model, gpu.device.driver) == ("gpu1-wl8sg", "NVIDIA L40S", "595.58.03")
    assert gpu.device.memory_total_bytes == (45459 + 0 + 608) * MIB
    assert (gpu.utilization, gpu.temperature_celsius, gpu.power_watts) == (0.0, 32.0, 35.686)
    assert (gpu.tensor_active, gpu.dram_active, gpu.sm_active) == (0.0, 0.000131, None)
    assert gpu.detail.energy_joules == pytest.approx(5551899.58)
    assert (gpu.detail.row_remap_failed, gpu.detail.memory_temperature_celsius) == (False, None)


def test_both_spellings_of_hostname_name_the_same_gpu(read: Read) -> None:
    old, new = (read(case).gpus[0] for case in ("dcgm-l4-eks", "dcgm-constructed-lowercase-hostname"))
    assert old.node == new.node == "i-030791dc5a37cd257"
    assert (old.utilization, old.power_watts, old.key) == (new.utilization, new.power_watts, new.key)


def test_a_container_id_gives_way_to_the_targets_name(read: Read) -> None:
    (gpu,) = read("dcgm-t4-throttle-minor").gpus
    assert gpu.node == "server-a"


def test_mig_slices(read: Read) -> None:
    gpus = by_number(read("dcgm-a800-8gpu-mig"))
    assert list(gpus) == ["0.3", "0.5", "0.6", "1", "2", "3", "4", "5", "6", "7"]
    mig = gpus["0.3"].device.mig
    assert mig is not None
    assert (mig.id, mig.profile) == ("3", "2g.20gb")
    assert len({gpu.device.uuid for gpu in gpus.values()}) == 8
    assert gpus["0.3"].memory_used_bytes == 10 * MIB


def test_mig_slices_are_as_busy_as_their_engines(read: Read) -> None:
    assert [gpu.utilization for gpu in read("dcgm-issue-dra166-a100-mig").gpus[:2]] == [0.029399, 0.033893]


def test_hpc_job_names_the_holders(read: Read) -> None:
    gpus = by_number(read("dcgm-constructed-hpc_job"))
    assert {number: gpus[number].jobs for number in ("0.3", "1", "2", "5")} == {
        "0.3": ("20",),
        "1": ("12",),
        "2": ("12", "13"),
        "5": None,
    }


def test_princetons_jobid_names_the_holder(read: Read) -> None:
    assert [gpu.jobs for gpu in read("dcgm-princeton-jobid").gpus] == [("51234567",)]


def test_clock_events_become_reasons(read: Read) -> None:
    (gpu,) = read("dcgm-issue-261-clock-events").gpus
    assert "hardware thermal" in (gpu.detail.throttle_reasons or ())


def test_without_profiling_fields_nothing_is_made_up(read: Read) -> None:
    snapshot = read("dcgm-vgpu-a100-40c")
    (gpu,) = snapshot.gpus
    assert (gpu.sm_active, gpu.tensor_active, gpu.temperature_celsius, gpu.power_watts) == (None,) * 4
    assert gpu.detail != GpuDetail()
    assert "no PROF fields" in snapshot.dialects[0].variant


def test_node_exporter(read: Read) -> None:
    (node,) = read("node_exporter-1.5.0").nodes
    assert (node.name, node.cores, node.load1) == ("server-a", 2, 2.23)
    assert node.memory_total_bytes == 25276502016
    assert node.filesystems


def test_vpenso(read: Read) -> None:
    snapshot = read("vpenso")
    assert snapshot.dialects[0].name == "vpenso prometheus-slurm-exporter"
    assert snapshot.queue is not None
    assert (snapshot.queue.by_state["running"], snapshot.queue.by_state["pending"]) == (21, 1039)
    assert UserUsage("alice", 5, 10, 1, 76, None) in snapshot.users
    assert Partition("a100", 256, 86, 170, None, None, None, None, 2) in snapshot.partitions
    assert snapshot.node_by_name["gpu02"].slurm is not None


def test_sckyzo(read: Read) -> None:
    snapshot = read("sckyzo")
    assert len(snapshot.nodes) == 9
    gpu04 = snapshot.node_by_name["gpu04"].slurm
    assert gpu04 is not None
    assert gpu04.gpus_total == 8


def test_rivosinc(read: Read) -> None:
    snapshot = read("rivosinc")
    assert snapshot.dialects[0].name == "rivosinc prometheus-slurm-exporter"
    assert snapshot.queue is not None
    assert snapshot.queue.by_state["running"] == 21


def test_slurms_own_metrics_come_from_five_paths(read: Read) -> None:
    snapshot = read(NATIVE)
    assert [dialect.name for dialect in snapshot.dialects] == ["Slurm's own metrics"]
    assert snapshot.queue is not None
    assert snapshot.queue.by_state["running"] == 21
    assert len(snapshot.nodes) == 9
    assert snapshot.jobs is None
