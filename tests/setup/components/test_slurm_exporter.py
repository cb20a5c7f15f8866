"""The service that asks Slurm: where it runs, as whom, and with which options."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from gpumon.errors import ConfigError
from gpumon_exporter.options import parse
from gpumon_setup.components import CannotHave, Place
from gpumon_setup.components.slurm_exporter import SlurmExporter
from gpumon_setup.resources import File
from needs import skipped_or_failed
from setup.components.places import place, text_of, the
from setup.deployments import Cluster

SLURM = SlurmExporter()
UNIT = "/etc/systemd/system/gpumon-slurm-exporter.service"


def started(where: Place) -> list[str]:
    """The words of the unit's command line."""
    found = re.search("^ExecStart=(.*)$", text_of(SLURM, where, UNIT), re.MULTILINE)
    assert found is not None
    return shlex.split(found[1])


def test_the_controller_has_it_and_nobody_else(cluster: Cluster) -> None:
    assert started(place(cluster, "head")) == [
        *("/usr/bin/env", "python3", "/usr/local/lib/gpumon/slurm-exporter.pyz"),
        *("--listen=10.77.0.2:8080", "--interval=15"),
    ]
    assert SLURM.wanted(place(cluster, "gpu1")) == ()
    elsewhere = 'controller = "gpu1"'
    assert SLURM.wanted(place(cluster, "head", setup=elsewhere)) == ()
    assert "--listen=10.77.0.3:8080" in started(place(cluster, "gpu1", setup=elsewhere))


def test_every_option_is_one_that_the_exporter_takes(cluster: Cluster, tmp_path: Path) -> None:
    section = (
        "[setup.slurm_exporter]\nport = 9341\ninterval = '1m'\nmax_pending = 0\njob_names = false\n"
        f"vpenso_names = false\nslurm_bin = '{tmp_path}'\n"
    )
    options = parse(started(place(cluster, "head", section))[3:], {})
    assert options.listen.port == 9341
    assert options.interval == 60
    assert options.max_pending == 0
    assert options.no_job_names
    assert options.no_vpenso_names
    assert options.slurm_bin == tmp_path


def test_it_is_nobody_unless_slurm_has_to_know_it(cluster: Cluster) -> None:
    assert "\nDynamicUser=yes\n" in text_of(SLURM, place(cluster, "head"), UNIT)
    told = "[setup.slurm_exporter]\nuser = 'slurm-exporter'\nslurm_conf = '/opt/slurm/etc/slurm.conf'\n"
    text = text_of(SLURM, place(cluster, "head", told), UNIT)
    assert "\nUser=slurm-exporter\n" in text
    assert "\nEnvironment=SLURM_CONF=/opt/slurm/etc/slurm.conf\n" in text
    assert "DynamicUser" not in text


def test_commands_beside_the_path_are_named(cluster: Cluster) -> None:
    cluster["head"].sections["commands"] = "sinfo /opt/slurm/24.11/bin/sinfo\n"
    assert "--slurm-bin=/opt/slurm/24.11/bin" in started(place(cluster, "head"))


@pytest.mark.parametrize(
    ("section", "content", "reason"),
    [
        ("commands", "apt-get /usr/bin/apt-get\n", r'there is no sinfo .* slurm_bin = .*; name .* controller = '),
        ("python", "Python 3.6.8\n", r"needs Python 3\.9 or newer, and its python3 is 3\.6\.8"),
        ("python", "", "and it has no python3"),
    ],
)  # fmt: skip
def test_a_controller_that_cannot_have_it_is_told_why_and_what_to_do(
    cluster: Cluster, section: str, content: str, reason: str
) -> None:
    cluster["head"].sections[section] = content
    with pytest.raises(CannotHave, match=reason):
        SLURM.wanted(place(cluster, "head"))


@pytest.mark.parametrize(
    "line",
    [
        'user = "a b"',
        'user = "root\\nExecStart=/bin/sh"',
        'slurm_bin = "/opt/x;id"',
        "slurm_bin = '/opt/$(id)'",
        'python = "python3"',
        "interval = 0",
        "max_pending = -1",
        "max_pending = true",
        'job_names = "no"',
        "port = 65536",
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_machine_is_asked(cluster: Cluster, line: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"setup.slurm_exporter.{line.partition(' ')[0]}")):
        place(cluster, "head", f"[setup.slurm_exporter]\n{line}")


def test_a_second_run_finds_nothing_to_do_and_another_option_restarts_it_once(cluster: Cluster) -> None:
    assert cluster.run("--yes") == 0
    unit = cluster["head"].units["gpumon-slurm-exporter.service"]
    assert cluster.run("--check") == 0
    assert (unit.starts, unit.is_enabled) == (1, True)
    cluster.configure('[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\n[setup.slurm_exporter]\nport = 9341\n')
    assert cluster.run("--yes") == 0
    assert unit.starts == 2
    assert cluster.run("--check") == 0


def test_a_machine_that_is_controller_and_gpu_node_has_one_program_for_both(cluster: Cluster) -> None:
    cluster.configure('[setup]\nmaster = "head"\ncontroller = "gpu1"\nnodes = ["gpu[1-2]"]\n')
    before = cluster["gpu1"].picture()
    assert cluster.run("--yes") == 0
    assert cluster["gpu1"].units["gpumon-slurm-exporter.service"].is_active
    assert cluster["gpu1"].units["gpumon-gpu-map.service"].is_active
    assert cluster.run("--check") == 0
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["gpu1"].picture() == before


def test_systemd_has_nothing_to_say_about_the_unit(cluster: Cluster, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        skipped_or_failed("systemd reads no units here")
    unit = the(File, SLURM.wanted(place(cluster, "head")), UNIT)
    file = tmp_path / "gpumon-slurm-exporter.service"
    file.write_bytes(unit.content.replace(b"/usr/local/lib/gpumon/slurm-exporter.pyz", b"-V"))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if file.name in line]
    assert complaints == []
