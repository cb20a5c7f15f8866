"""What the simulated exporters say keeps the format's rules, and is what the simulation says directly."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping

import msgspec
import pytest

from gpumon.model import Attribution, Gpu
from gpumon.prometheus.labels import GpuLabels, NodeLabels
from gpumon.prometheus.queries import JOB_NUMBERS, NODE_GAUGES
from gpumon.reading.gpus import GpuReadings, details, gpus, in_order, read_samples, settle_memory, settle_slices
from gpumon.reading.holders import Holders
from gpumon.reading.names import NodeNames
from gpumon.reading.nodes import NodeReadings, filesystems, read_gauges
from gpumon.reading.slurm.dialects import read_slurm
from gpumon_demo.cluster import BEGIN, Cluster, Simulation
from gpumon_demo.dcgm_text import dcgm
from gpumon_demo.exposition import Page, escaped, labels, number
from gpumon_demo.node_text import node
from gpumon_demo.slurm_text import slurm
from samples import plain_samples, samples

Series = tuple[str, frozenset[tuple[str, str]]]
Parse = Callable[[str], "dict[Series, float]"]
MOMENT = BEGIN + 90_000.0


@pytest.fixture(name="cluster", scope="module")
def _cluster(cluster_of_12: Simulation) -> Cluster:
    return cluster_of_12.at(MOMENT)


def _pages(cluster: Cluster) -> Iterable[tuple[str, str]]:
    yield "slurm", slurm(cluster)
    for host in cluster.simulation.hosts:
        yield f"node {host.name}", node(cluster, host)
        yield f"brief node {host.name}", node(cluster, host, is_brief=True)
        if host.machine.card is not None:
            yield f"dcgm {host.name}", dcgm(cluster, host)
            yield f"dcgm with jobs {host.name}", dcgm(cluster, host, has_job_label=True)


@pytest.mark.parametrize("nodes", [12, *(pytest.param(nodes, marks=pytest.mark.thorough) for nodes in (4, 33))])
def test_every_page_keeps_the_rules_of_the_format(nodes: int, parse: Parse) -> None:
    for _, text in _pages(Simulation(nodes, 1).at(MOMENT)):
        assert parse(text) or "dcgm" not in text


def _read(cluster: Cluster) -> tuple[Gpu, ...]:
    """All GPUs as the product's own reader takes them from the text; what their history tells is left out."""
    found = GpuReadings()
    for host in cluster.simulation.hosts:
        if host.machine.card is not None:
            text = dcgm(cluster, host)
            read_samples(samples(text, GpuLabels, job="dcgm", instance=f"{host.name}:9400"), NodeNames(), found)
    settle_slices(found)
    settle_memory(found)
    order = in_order(found.devices)
    at = float(cluster.moment)
    held = Holders()
    for gpu in cluster.gpus:
        if gpu.jobs is not None and gpu.held_by is not None:
            held.put([gpu.key], gpu.jobs, gpu.held_by)
    return gpus(order, found, details(order, found, [at] * len(order)), held, [(at, False)] * len(order))


def test_gpus_read_from_the_text_are_the_gpus_of_the_simulation(cluster: Cluster) -> None:
    assert cluster.simulation.troubles.silent_since(cluster.moment) is None
    read = {gpu.key: gpu for gpu in _read(cluster)}
    assert read.keys() == {gpu.key for gpu in cluster.gpus}
    for gpu in cluster.gpus:
        assert read[gpu.key] == msgspec.structs.replace(gpu, idle_since=None)


def test_the_order_of_gpus_is_the_readers(cluster: Cluster) -> None:
    assert [gpu.key for gpu in _read(cluster)] == [gpu.key for gpu in cluster.gpus]


def test_nodes_read_from_the_text_are_the_nodes_of_the_simulation(cluster: Cluster) -> None:
    for host in cluster.simulation.hosts:
        found, told = NodeReadings(), next(node for node in cluster.nodes if node.name == host.name)
        target = ("node", f"{host.name}:9100")
        page = samples(node(cluster, host), NodeLabels, job=target[0], instance=target[1])
        real = [one for one in page if one.metric.name in NODE_GAUGES and one.metric.mountpoint != "/run"]
        read_gauges(real, found)
        for name in ("load1", "load5", "load15", "memory_total_bytes", "memory_available_bytes", "booted_at"):
            assert found.values[target][name] == getattr(told, name)
        assert filesystems(found.disks[target]) == told.filesystems
        assert found.nodenames == {host.name: host.name}


def test_cores_and_busy_time_add_up_in_the_text(cluster: Cluster, parse: Parse) -> None:
    for host in cluster.simulation.hosts:
        page = parse(node(cluster, host))
        idle = [value for (_, pairs), value in page.items() if ("mode", "idle") in pairs]
        everything = [value for (name, _), value in page.items() if name == "node_cpu_seconds_total"]
        up = cluster.moment - page["node_boot_time_seconds", frozenset()]
        assert len(idle) == host.machine.cpus
        assert len(everything) == 8 * host.machine.cpus
        assert sum(everything) == pytest.approx(up * host.machine.cpus, rel=1e-6)


def test_slurm_read_from_the_text_is_the_slurm_of_the_simulation(cluster: Cluster) -> None:
    found = read_slurm(plain_samples(slurm(cluster)))
    assert found is not None
    assert found.is_simulated
    assert found.dialect == "gpumon-slurm-exporter"
    assert not found.problems
    assert found.reading.queue == cluster.queue
    assert dict(found.reading.nodes) == cluster.slurm_nodes
    assert found.reading.partitions == cluster.partitions
    assert found.reading.users == cluster.users
    assert found.reading.accounts == cluster.accounts
    assert found.reading.reservations == cluster.reservations


def test_jobs_in_the_text_are_the_jobs_of_the_simulation(cluster: Cluster, parse: Parse) -> None:
    page = parse(slurm(cluster))
    by_name = {job.id: job for job in cluster.jobs}
    told = [dict(pairs) for name, pairs in page if name == "gpumon_job_info"]
    assert {pairs["job_id"] for pairs in told} == set(by_name)
    for pairs in told:
        job = by_name[pairs.pop("job_id")]
        assert pairs == {name: getattr(job, name) for name in pairs}
        assert len(pairs) == 11
        for metric, name in JOB_NUMBERS:
            assert page.get((metric, frozenset({("job_id", job.id)}))) == getattr(job, name)


def _slurm_numbers(cluster: Cluster, parse: Parse) -> dict[tuple[str, str], str]:
    """The key of the GPU that Slurm's number means on a node: by the node's map, else by the driver's number."""
    found = {(gpu.node, str(gpu.device.index)): gpu.key for gpu in cluster.gpus if not gpu.device.mig}
    for host in cluster.simulation.hosts:
        told = [dict(pairs) for name, pairs in parse(node(cluster, host)) if name == "gpumon_slurm_gpu_info"]
        found.update({(host.name, pairs["gpu"]): _key(pairs) for pairs in told})
    return found


def _key(pairs: Mapping[str, str]) -> str:
    """What the product calls the GPU that these labels name."""
    return "/".join(filter(None, (pairs["UUID"], pairs.get("GPU_I_ID"))))


def test_held_gpus_in_the_text_are_those_of_the_simulation(cluster: Cluster, parse: Parse) -> None:
    told = [dict(pairs) for name, pairs in parse(slurm(cluster)) if name == "gpumon_job_gpu"]
    key_of, gpu_of = _slurm_numbers(cluster, parse), {gpu.key: gpu for gpu in cluster.gpus}
    held = {(pairs["job_id"], key_of[pairs["node"], pairs["gpu"]]) for pairs in told}
    assert held == {(job.id, key) for job in cluster.jobs for key in job.held}
    assert {pairs["share"] for pairs in told} == {"whole", "mig", "shard"}
    for pairs in told:
        gpu, job = gpu_of[key_of[pairs["node"], pairs["gpu"]]], cluster.job_by_id[pairs["job_id"]]
        assert (pairs["share"] == "mig") == (gpu.device.mig is not None)
        assert (pairs["share"] == "shard") == (job.gpus == 0)
        card, _, profile = pairs["type"].partition("_")
        assert card in (gpu.device.model or "").lower()
        assert profile == (gpu.device.mig.profile if gpu.device.mig else "")
        assert (pairs["user"], pairs["account"], pairs["partition"]) == (job.user, job.account, job.partition)


def test_slurm_has_another_order_than_the_driver_on_some_nodes(cluster: Cluster, parse: Parse) -> None:
    key_of = _slurm_numbers(cluster, parse)
    card_of = {gpu.key: str(gpu.device.index) for gpu in cluster.gpus if not gpu.device.mig}
    strange = {host for (host, number), key in key_of.items() if card_of.get(key, number) != number}
    assert {name[:5] for name in strange} == {"gpu-b", "gpu-m"}


def test_each_gpu_is_mapped_once_on_the_nodes_that_publish_a_map(cluster: Cluster, parse: Parse) -> None:
    for host in cluster.simulation.hosts:
        told = [dict(pairs) for name, pairs in parse(node(cluster, host)) if name == "gpumon_slurm_gpu_info"]
        is_mapped = host.machine.told_by is Attribution.UUID
        assert sorted(int(pairs["gpu"]) for pairs in told) == (list(range(len(host.gpus))) if is_mapped else [])
        assert len({(pairs["UUID"], pairs["GPU_I_ID"]) for pairs in told}) == len(told)


def test_the_slurm_page_says_that_it_is_a_demo(cluster: Cluster, parse: Parse) -> None:
    page = parse(slurm(cluster))
    assert page["gpumon_demo_info", frozenset({("seed", "1"), ("nodes", "12")})] == 1
    others = [text for name, text in _pages(cluster) if name != "slurm"]
    assert not any("gpumon_demo_info" in text for text in others)


def test_labels_of_dcgm_come_in_its_order(cluster: Cluster) -> None:
    hosts = {host.machine.prefix: host for host in cluster.simulation.hosts}
    whole = dcgm(cluster, hosts["gpu-a"], has_job_label=True)
    line = next(line for line in whole.splitlines() if line.startswith("DCGM_FI_DEV_GPU_UTIL{"))
    order = ["gpu", "UUID", "pci_bus_id", "device", "modelName", "Hostname", "DCGM_FI_DRIVER_VERSION"]
    assert re.findall(r'(\w+)="', line)[:7] == order
    cut = dcgm(cluster, hosts["gpu-m"])
    line = next(line for line in cut.splitlines() if "GPU_I_ID" in line)
    assert re.findall(r'(\w+)="', line) == [*order[:5], "GPU_I_PROFILE", "GPU_I_ID", *order[5:]]


def test_a_mig_slice_has_no_utilization_and_no_pcie(cluster: Cluster, parse: Parse) -> None:
    host = next(host for host in cluster.simulation.hosts if host.machine.slices)
    page = parse(dcgm(cluster, host))
    of_slices = {name for name, pairs in page if "GPU_I_ID" in dict(pairs)}
    assert "DCGM_FI_PROF_GR_ENGINE_ACTIVE" in of_slices
    assert not of_slices & {"DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_PCIE_TX_BYTES", "DCGM_FI_PROF_SM_ACTIVE"}


def test_the_job_label_is_the_slurm_exporters_job(cluster: Cluster, parse: Parse) -> None:
    page = parse(slurm(cluster))
    key_of, jobs_of = _slurm_numbers(cluster, parse), defaultdict[str, set[str]](set)
    for holding in (dict(pairs) for name, pairs in page if name == "gpumon_job_gpu"):
        jobs_of[key_of[holding["node"], holding["gpu"]]].add(holding["job_id"])
    for host in cluster.simulation.hosts:
        if host.machine.card is not None:
            named = defaultdict[str, set[str]](set)
            for name, pairs in parse(dcgm(cluster, host, has_job_label=True)):
                if name == "DCGM_FI_DEV_GPU_TEMP":
                    named[_key(dict(pairs))].update(value for label, value in pairs if label == "hpc_job")
            assert named == {key: jobs_of[key] for key in named}


def test_queue_and_states_agree_with_the_single_jobs(cluster: Cluster, parse: Parse) -> None:
    page = parse(slurm(cluster))
    states = Counter(dict(pairs)["state"] for name, pairs in page if name == "gpumon_job_info")
    assert page["slurm_queue_running", frozenset()] == states["running"]
    tasks = [value - 1 for (name, _), value in page.items() if name == "gpumon_job_array_tasks"]
    assert page["slurm_queue_pending", frozenset()] == states["pending"] + sum(tasks)
    held = {(dict(pairs)["node"], dict(pairs)["gpu"]) for name, pairs in page if name == "gpumon_job_gpu"}
    assert page["slurm_gpus_alloc", frozenset()] == len(held)
    total = sum(page[f"slurm_gpus_{word}", frozenset()] for word in ("alloc", "idle", "other"))
    assert page["slurm_gpus_total", frozenset()] == total


def test_vpensos_names_are_all_there(cluster: Cluster, parse: Parse) -> None:
    from samples import captured, lines

    theirs = {name for name, _, _ in lines(captured("vpenso.prom")) if name.startswith("slurm_")}
    ours = {name for name, _ in parse(slurm(cluster))}
    assert theirs - ours == set()


@pytest.mark.parametrize("value", ["", "a b", 'say "x"', "back\\slash", "two\nlines", "[brackets]", "Größe", "a,b=c{}"])
def test_label_values_may_hold_anything(value: str, parse: Parse) -> None:
    page = Page()
    page.family("m", "gauge", "Some help.", [({"name": value, "other": "x"}, 1.5)])
    assert parse(page.text()) == {("m", frozenset({("name", value), ("other", "x")})): 1.5}


def test_an_empty_family_leaves_no_trace() -> None:
    page = Page()
    page.family("m", "gauge", "Some help.", [])
    assert page.text() == ""


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e21, 123456789012345.0, 1.7e-9, -3.5, 1_795_439_225.0])
def test_numbers_come_back_as_they_were(value: float) -> None:
    assert float(number(value)) == value


def test_nothing_is_escaped_twice() -> None:
    assert escaped("\\n") == "\\\\n"
    assert labels({}) == ""
