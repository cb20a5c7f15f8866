"""gpu-map names the right GPU for each of Slurm's numbers, and refuses where it would have to guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from gpumon_exporter.failures import Failure
from gpumon_exporter.gpu_map import joined as joining
from gpumon_exporter.gpu_map.driver import Card, GpuInstance, cards, gpu_instances, minor_of
from gpumon_exporter.gpu_map.gres import GresGpu, gpus
from gpumon_exporter.gpu_map.joined import joined
from gpumon_exporter.gpu_map.textfile import replace, text
from gpumon_exporter.main import main

DEVICES = {"/dev/null": 3, "/dev/zero": 5, "/dev/full": 7, "/dev/random": 8}
"""Devices that every machine has and anybody may link to, by their minor numbers."""

INFORMATION = """\
Model: 		 NVIDIA H100 80GB HBM3
IRQ:   		 512
GPU UUID: 	 {uuid}
Video BIOS: 	 96.00.61.00.01
Bus Type: 	 PCIe
DMA Size: 	 52 bits
DMA Mask: 	 0xfffffffffffff
Bus Location: 	 {bus}
Device Minor: 	 {minor}
GPU Firmware: 	 535.129.03
GPU Excluded:	 No
"""
"""As the driver writes it: https://download.nvidia.com/XFree86/Linux-x86_64/535.129.03/README/procinterface.html"""


def uuid(minor: int) -> str:
    """A card's, made from its number."""
    return f"GPU-{minor:08x}-0000-4000-8000-000000000000"


def driver(root: Path, minors: Mapping[str, int]) -> Path:
    """A machine with cards at these bus locations."""
    for bus, minor in minors.items():
        folder = root / "proc/driver/nvidia/gpus" / bus
        folder.mkdir(parents=True)
        (folder / "information").write_text(INFORMATION.format(uuid=uuid(minor), bus=bus, minor=minor))
    return root


def line(file: str, kind: str = "h100", name: str = "gpu", count: int = 1) -> str:
    """One line of `slurmd -G`, as Slurm 22.05 writes it."""
    return f"slurmd-n1: Gres Name={name} Type={kind} Count={count} Index=0 ID=7696487 File={file} (null)\n"


def whole(*minors: int) -> tuple[GresGpu, ...]:
    """Cards in Slurm's order."""
    return tuple(GresGpu("h100", (f"/dev/nvidia{minor}",)) for minor in minors)


def digits(file: str) -> int:
    """The minor number where devices are numbered like their names."""
    return int("".join(letter for letter in file if letter.isdecimal()))


def one_slurmd(folder: Path, told: str, code: int = 0) -> str:
    """A slurmd that says `told` on its standard error, as the real one does."""
    program = folder / "slurmd"
    (folder / "told").write_text(told)
    program.write_text(f"#!/bin/sh\ncat '{folder}/told' >&2\nexit {code}\n")
    program.chmod(0o755)
    return str(program)


def test_slurms_number_is_the_place_among_all_its_gpus_whatever_their_type() -> None:
    told = (
        line("/dev/nvidia0", "h100", "shard", 4)
        + line("/dev/nvidia7")
        + line("/dev/nvidia5", "(null)")
        + "slurmd-n1: error: something else\n"
        + "slurmd: Gres Name=gpu Type=l40s Count=1 Index=6 ID=7696487 File=/dev/nvidia6 Cores=0-63 CoreCnt=128 "
        "Links=-1,0,0 Flags=HAS_FILE,HAS_TYPE,ENV_NVML\n"
    )
    assert gpus(told) == (
        GresGpu("h100", ("/dev/nvidia7",)),
        GresGpu("", ("/dev/nvidia5",)),
        GresGpu("l40s", ("/dev/nvidia6",)),
    )


def test_several_cards_in_one_line_are_several_in_their_order() -> None:
    told = line("/dev/nvidia[2,0-1]", count=3) + line("/dev/nvidia3")
    assert gpus(told) == whole(2, 0, 1, 3)


def test_a_slice_is_one_gpu_of_several_files() -> None:
    cap = "/dev/nvidia-caps/nvidia-cap"
    told = "".join(
        line(file, "a100_1g.5gb")
        for file in ("/dev/nvidia0", f"{cap}3", f"{cap}4", "/dev/nvidia0", f"{cap}12", f"{cap}13")
    )
    assert [gpu.files for gpu in gpus(told)] == [
        ("/dev/nvidia0", f"{cap}3", f"{cap}4"),
        ("/dev/nvidia0", f"{cap}12", f"{cap}13"),
    ]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (line("/dev/nvidia[0-3]", count=2), "not one device file"),
        (line("/dev/nvidia[0-1", count=2), "not one device file"),
        (line("/dev/nvidia0,(null)", count=2), "not one device file"),
        (line("/dev/nvidia0", count=2), "not one device file"),
        (line("(null)"), "not one device file"),
        (line("/dev/dri/renderD128"), "no card of NVIDIA"),
    ],
)
def test_what_is_not_one_device_is_refused(told: str, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        gpus(told)


def test_the_drivers_numbers_are_not_in_pci_order_on_some_boards(tmp_path: Path) -> None:
    root = driver(tmp_path, {"0000:c1:00.0": 0, "0000:01:00.0": 1, "0001:41:00.0": 2})
    assert cards(root) == {
        0: Card(0, uuid(0), "00000000:C1:00.0"),
        1: Card(1, uuid(1), "00000000:01:00.0"),
        2: Card(2, uuid(2), "00000001:41:00.0"),
    }
    mapped = joined(whole(1, 2, 0), cards(root), {}, digits)
    assert [(gpu.index, gpu.card.uuid) for gpu in mapped] == [(0, uuid(1)), (1, uuid(2)), (2, uuid(0))]


@pytest.mark.parametrize("broken", ["????", "", "GPU-????????-????-????-????-????????????"])
def test_a_card_without_its_uuid_is_refused(tmp_path: Path, broken: str) -> None:
    root = driver(tmp_path, {"0000:07:00.0": 0})
    (root / "proc/driver/nvidia/gpus/0000:07:00.0/information").write_text(
        INFORMATION.format(uuid=broken, bus="0000:07:00.0", minor=0)
    )
    with pytest.raises(Failure, match=r"no UUID .* run nvidia-smi once"):
        cards(root)


def test_two_cards_with_one_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="device minor 4 is that of"):
        cards(driver(tmp_path, {"0000:07:00.0": 4, "0000:08:00.0": 4}))


def test_without_a_driver_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="driver is not loaded"):
        cards(tmp_path)


def test_a_device_file_is_known_by_its_number_and_not_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    for file, minor in DEVICES.items():
        (tmp_path / "dev/nvidia0").unlink(missing_ok=True)
        (tmp_path / "dev/nvidia0").symlink_to(file)
        assert minor_of("/dev/nvidia0", tmp_path) == minor
    (tmp_path / "dev/nvidia1").touch()
    with pytest.raises(Failure, match="is no device file"):
        minor_of("/dev/nvidia1", tmp_path)
    with pytest.raises(Failure, match="fallen off"):
        minor_of("/dev/nvidia2", tmp_path)


KNOWN = {minor: Card(minor, uuid(minor), f"00000000:0{minor}:00.0") for minor in range(3)}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (whole(0, 1), "Slurm knows 2 cards of this node and the driver 3: .* --partial"),
        (whole(0, 1, 2, 3), r"GPU 3 is /dev/nvidia3, which the driver does not know \(it knows /dev/nvidia0, "),
        (whole(0, 1, 1), "GPUs 1 and 2 are the same one"),
        ((*whole(0, 1, 2), GresGpu("1g", ("/dev/nvidia1", "/dev/cap30"))), "GPUs 1 and 3 are the same one"),
        (
            (*whole(0, 1), GresGpu("1g", ("/dev/nvidia2", "/dev/cap30"))),
            "GPU 2 is a slice with /dev/cap30, which is no",
        ),
        (
            (*whole(0, 1), GresGpu("1g", ("/dev/nvidia2", "/dev/cap99"))),
            "GPU 2 is a slice with /dev/cap99, which is no",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(told: tuple[GresGpu, ...], sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        joined(told, KNOWN, {30: GpuInstance(1, 7)}, digits)


def test_slurm_may_leave_cards_out_when_that_is_said() -> None:
    assert [gpu.card.minor for gpu in joined(whole(2), KNOWN, {}, digits, may_leave_cards_out=True)] == [2]


def test_slices_are_told_by_their_card_and_instance(tmp_path: Path) -> None:
    root = driver(tmp_path, {"0000:07:00.0": 0})
    table = root / "proc/driver/nvidia-caps/mig-minors"
    table.parent.mkdir()
    table.write_text("config 1\nmonitor 2\ngpu0/gi7/access 66\ngpu0/gi7/ci0/access 67\ngpu0/gi9/access 84\n")
    told = (GresGpu("1g.5gb", ("/dev/nvidia0", "/c66", "/c67")), GresGpu("1g.5gb", ("/dev/nvidia0", "/c84", "/c85")))
    mapped = joined(told, cards(root), gpu_instances(root), digits)
    assert [(gpu.index, gpu.card.uuid, gpu.instance) for gpu in mapped] == [(0, uuid(0), 7), (1, uuid(0), 9)]


def test_the_text_survives_strange_types() -> None:
    strange = 'h"1\\00\n{}'
    mapped = joining.MappedGpu(3, strange, KNOWN[1], 7)
    (family,) = parsed(text("gpu01", (mapped,)).decode())
    assert family.samples[0].labels == {
        "node": "gpu01",
        "gpu": "3",
        "type": strange,
        "UUID": uuid(1),
        "pci_bus_id": "00000000:01:00.0",
        "minor": "1",
        "GPU_I_ID": "7",
    }


Machine = Callable[..., list[str]]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with two cards whose device files are not numbered in PCI order; gives what to type."""

    def made(told: str = line("/dev/nvidia0") + line("/dev/nvidia1"), code: int = 0) -> list[str]:
        root = driver(tmp_path / "host", {"0000:07:00.0": 5, "0000:08:00.0": 3})
        (root / "dev").mkdir()
        (root / "dev/nvidia0").symlink_to("/dev/null")
        (root / "dev/nvidia1").symlink_to("/dev/zero")
        return [
            "gpu-map", "--root", str(root), "--slurmd", one_slurmd(tmp_path, told, code),
            "--output", str(tmp_path / "map.prom"), "--node", "n1",
        ]  # fmt: skip

    return made


def test_the_command_writes_a_file_that_everybody_may_read(machine: Machine, tmp_path: Path) -> None:
    assert main(machine()) == 0
    written = tmp_path / "map.prom"
    (family,) = parsed(written.read_text())
    assert [(sample.labels["gpu"], sample.labels["UUID"]) for sample in family.samples] == [
        ("0", uuid(3)),
        ("1", uuid(5)),
    ]
    assert written.stat().st_mode & 0o777 == 0o644
    assert sorted(file.name for file in tmp_path.iterdir()) == ["host", "map.prom", "slurmd", "told"]


def test_on_the_terminal(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*machine(), "--output", "-"]) == 0
    assert capfd.readouterr().out.count("gpumon_slurm_gpu_info{") == 2


@pytest.mark.parametrize(
    ("told", "code", "sentence"),
    [
        (line("/dev/nvidia0"), 0, "Slurm knows 1 cards of this node and the driver 2"),
        ("slurmd: fatal: can't stat gres.conf file /dev/nvidia1: No such file\n", 1, "slurmd -G failed: .*can't stat"),
        ("", 3, "slurmd -G failed: exit code 3"),
        ("slurmd: hello\n", 0, "slurmd -G tells of no GPU"),
    ],
)
def test_a_map_that_cannot_be_made_takes_the_older_one_away(
    machine: Machine, tmp_path: Path, capfd: pytest.CaptureFixture[str], told: str, code: int, sentence: str
) -> None:
    typed, older = machine(told, code), tmp_path / "map.prom"
    older.write_text("older")
    assert main([*typed, "--keep"]) == 1
    assert older.read_text() == "older"
    capfd.readouterr()
    assert main(typed) == 1
    assert not older.exists()
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert re.search(f"^gpumon-slurm-exporter: {sentence}.*; the older map .* has been removed$", said.strip())


def test_a_missing_slurmd_and_a_missing_folder_are_said(
    machine: Machine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    typed = machine()
    assert main([*typed, "--slurmd", str(tmp_path / "none")]) == 1
    assert "run this on a compute node" in capfd.readouterr().err
    assert main([*typed, "--output", str(tmp_path / "no/map.prom")]) == 1
    assert "cannot be written: No such file" in capfd.readouterr().err


def test_an_unknown_option_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["gpu-map", "--outputt", "x"]) == 2
    assert "did you mean --output?" in capfd.readouterr().err


def test_a_map_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "map.prom").mkdir()
    with pytest.raises(Failure, match="cannot be written"):
        replace(tmp_path / "map.prom", b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["map.prom"]
