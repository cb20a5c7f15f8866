"""The prolog and the epilog, run by real shells as Slurm runs them: right files at every moment, never a failure."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gpumon_setup.components.job_map import script
from gpumon_setup.components.slurm_programs import WHENS, When

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
PAGE = (
    "Model: \t\t NVIDIA H100\nGPU UUID: \t {uuid}\nBus Location: \t {bus}\nDevice Minor: \t {minor}\n"
    "GPU Excluded:\t {out}\n"
)
LINE = (
    'gpumon_slurm_gpu_info{{GPU_I_ID="{slice}",UUID="{uuid}",gpu="{gpu}",minor="0",node="gpu=\\"9\\"",'
    'type="h100"}} 1.0\n'
)


class Machine:
    """A node on which Slurm starts and ends jobs."""

    def __init__(self, folder: Path, shell: str) -> None:
        self.map = folder / "map"
        self._folder = folder
        self._shell = [shell, "sh"] if shell == "busybox" else [shell]
        for when in WHENS:
            text = script(when, str(self.map)).decode()
            for place, here in (
                ("/proc/driver/nvidia", "driver"),
                ("/var/lib/gpumon/textfile/gpumon_gpu_map.prom", "table"),
            ):
                assert place in text
                text = text.replace(place, str(folder / here))
            (folder / when).write_text(text)
        self.cards(("GPU-aa", 0), ("GPU-bb", 1), ("GPU-cc", 2), ("GPU-dd", 3))

    def cards(self, *cards: tuple[str, int], left_out: str = "") -> None:
        """What the driver has, in the order of the bus, with their minor numbers."""
        shutil.rmtree(self._folder / "driver", ignore_errors=True)
        for place, (uuid, minor) in enumerate(cards):
            bus = f"0000:{0x1B + 0x10 * place:02x}:00.0"
            page = self._folder / "driver" / "gpus" / bus / "information"
            page.parent.mkdir(parents=True)
            page.write_text(PAGE.format(uuid=uuid, bus=bus, minor=minor, out="Yes" if uuid == left_out else "No"))

    def table(self, *lines: tuple[int, str, str]) -> None:
        """gpumon's map: number, card and slice."""
        written = "".join(LINE.format(gpu=gpu, uuid=uuid, slice=part) for gpu, uuid, part in lines)
        (self._folder / "table").write_text(f'# HELP gpumon_slurm_gpu_info of gpu="0"\n{written}')

    def run(self, when: When, environment: Mapping[str, str]) -> None:
        """As slurmd does, which drains the node for any other end than 0; nothing may be said."""
        argv = [*self._shell, str(self._folder / when)]
        done = subprocess.run(argv, env=dict(environment), capture_output=True, timeout=30, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    def start(self, job: int, gpus: str, **more: str) -> None:
        """A job begins."""
        self.run("prolog", {"SLURM_JOB_ID": str(job), "SLURM_JOB_GPUS": gpus, **more})

    def end(self, job: int) -> None:
        """It is over; Slurm need not say which GPUs it had."""
        self.run("epilog", {"SLURM_JOB_ID": str(job)})

    @property
    def jobs(self) -> Mapping[str, list[str]]:
        """Jobs by GPU, of all that dcgm-exporter would read."""
        return {file.name: file.read_text().split() for file in self.map.iterdir() if not file.name.startswith(".")}


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(tmp_path, request.param)


@pytest.mark.parametrize("gpus", ["0,1,3", "0-1,3", "3,0,1,1"])
def test_each_gpu_of_a_job_names_it_until_it_ends(machine: Machine, gpus: str) -> None:
    machine.start(17, gpus)
    assert machine.jobs == {"0": ["17"], "1": ["17"], "3": ["17"]}
    machine.end(17)
    assert machine.jobs == {"0": [], "1": [], "3": []}


def test_a_shared_gpu_names_each_of_its_jobs_once(machine: Machine) -> None:
    machine.start(17, "0,1")
    machine.start(18, "1")
    machine.start(18, "1")
    assert machine.jobs == {"0": ["17"], "1": ["17", "18"]}
    machine.end(17)
    assert machine.jobs == {"0": [], "1": ["18"]}
    machine.end(17)
    machine.end(18)
    assert machine.jobs == {"0": [], "1": []}


def test_a_job_that_begins_again_elsewhere_leaves_its_gpus(machine: Machine) -> None:
    machine.start(17, "0,1")
    machine.start(17, "2")
    assert machine.jobs == {"0": [], "1": [], "2": ["17"]}


def test_slurms_numbers_become_those_of_the_bus_by_gpumons_map(machine: Machine) -> None:
    machine.table((0, "GPU-dd", ""), (1, "GPU-cc", ""), (2, "GPU-gone", ""), (10, "GPU-aa", ""))
    machine.start(17, "0-1,2,7")
    machine.start(18, "10")
    assert machine.jobs == {"2": ["17"], "3": ["17"], "0": ["18"]}


def test_a_slice_of_mig_has_a_file_of_its_own(machine: Machine) -> None:
    machine.table((0, "GPU-aa", "1"), (1, "GPU-aa", "13"), (2, "GPU-bb", ""))
    machine.start(17, "1")
    machine.start(18, "2")
    assert machine.jobs == {"0.13": ["17"], "1": ["18"]}
    machine.end(17)
    assert machine.jobs == {"0.13": [], "1": ["18"]}


def test_without_the_map_nothing_is_guessed(machine: Machine, tmp_path: Path) -> None:
    machine.cards(("GPU-aa", 1), ("GPU-bb", 0))
    machine.start(17, "0,1")
    assert not machine.map.exists()
    machine.cards(("GPU-aa", 0), ("GPU-bb", 1))
    machine.start(17, "1,2")
    assert machine.jobs == {"1": ["17"]}
    (tmp_path / "driver/capabilities/gpu0/mig/gi3").mkdir(parents=True)
    machine.start(18, "0")
    assert machine.jobs == {"1": ["17"]}


def test_cards_that_slurm_names_itself_are_believed(machine: Machine) -> None:
    machine.cards(("GPU-aa", 3), ("GPU-bb", 2), ("GPU-cc", 1), left_out="GPU-bb")
    machine.start(17, "0,1", CUDA_VISIBLE_DEVICES="GPU-cc,GPU-aa")
    assert machine.jobs == {"0": ["17"], "1": ["17"]}


def test_many_jobs_at_once_lose_none(machine: Machine) -> None:
    with ThreadPoolExecutor(8) as hands:
        for started in [hands.submit(machine.start, job, "0,1") for job in range(100, 124)]:
            started.result()
        assert sorted(machine.jobs["0"]) == sorted(machine.jobs["1"]) == [str(job) for job in range(100, 124)]
        for ended in [hands.submit(machine.end, job) for job in range(100, 123)]:
            ended.result()
    assert machine.jobs == {"0": ["123"], "1": ["123"]}


@pytest.mark.parametrize("when", WHENS)
def test_it_never_fails_whatever_it_finds(machine: Machine, when: When, tmp_path: Path) -> None:
    hostile = (
        "",
        "x",
        "-1",
        "$(touch oops)",
        "99999999999999999999",
        "*",
        "a b",
        "0;1",
        "0-",
        "1-0",
        "-",
        "0-99999999",
    )
    for job in ("", "17", *hostile):
        machine.run(when, {"SLURM_JOB_ID": job, "SLURM_JOB_GPUS": "0"})
    for gpus in hostile:
        machine.run(when, {"SLURM_JOB_ID": "17", "SLURM_JOB_GPUS": gpus, "CUDA_VISIBLE_DEVICES": f"GPU-{gpus}"})
        machine.run(when, {"SLURM_JOB_ID": "17", "SLURM_JOB_GPUS": gpus})
    machine.run(when, {})
    machine.cards()
    machine.run(when, {"SLURM_JOB_ID": "17", "SLURM_JOB_GPUS": "0"})
    shutil.rmtree(machine.map, ignore_errors=True)
    machine.map.write_text("no folder")
    machine.cards(("GPU-aa", 0))
    machine.run(when, {"SLURM_JOB_ID": "17", "SLURM_JOB_GPUS": "0"})
    assert not (tmp_path / "oops").exists()


def test_what_else_is_in_the_folder_stays_as_it_is(machine: Machine) -> None:
    machine.map.mkdir()
    (machine.map / "0").write_text("99\nnot a job\n17")
    (machine.map / "0.txt").write_text("17\n")
    machine.end(17)
    assert (machine.map / "0").read_text() == "99\n"
    assert (machine.map / "0.txt").read_text() == "17\n"
