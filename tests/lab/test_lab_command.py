"""The lab's command leaves nothing behind and says in a sentence what it cannot do, however it is started and ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from lab import cgroups
from lab.ability import require_a_lab
from lab.places import Places, places
from real.daemons import until

pytestmark = pytest.mark.lab

LAB = Path(__file__).parent / "lab"
NAME = "commandtest"
"""A lab of its own beside whichever is up."""


@pytest.fixture
def own() -> Generator[Places]:
    """A name for a lab that is down before and after."""
    require_a_lab(places())
    chosen = Places(places().home, NAME)
    assert said("down").returncode == 0
    yield chosen
    assert said("down").returncode == 0


def started(*words: str) -> subprocess.Popen[str]:
    """The command, without a standard input and with almost no environment."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "GPUMON_LAB_DIR", "GPUMON_LAB_DEBIAN")}
    environment = {**kept, "GPUMON_LAB_NAME": NAME}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [LAB, *words], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, env=environment, cwd="/"
    )


def said(*words: str) -> subprocess.CompletedProcess[str]:
    """How it ended and what it said."""
    with started(*words) as command:
        out, err = command.communicate()
        return subprocess.CompletedProcess(words, command.returncode, out, err)


def left_of(lab: Places) -> Sequence[str]:
    """Whatever of a lab is still on the machine."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if lab.group in line]
    namespaces = [path.name for path in Path("/run/netns").glob(f"{lab.group}*")]
    groups = [str(path) for path in Path("/sys/fs/cgroup").rglob(lab.group)]
    folders = [str(lab.run)] if lab.run.exists() else []
    return [*mounts, *namespaces, *groups, *folders]


def test_a_lab_goes_without_a_trace(own: Places) -> None:
    assert said("up", "2").returncode == 0
    assert "running" in said("status").stdout
    assert said("ssh", "node1", "id", "-un").stdout.strip() == "ops"
    assert said("exec", str(LAB), "root", "node1", "hostname").stdout.strip() == "node1"
    assert left_of(own) != []
    assert said("down").returncode == 0
    assert left_of(own) == []


@pytest.mark.parametrize("moment", ["its folder", "its network", "its first boot"])
def test_a_lab_that_was_killed_while_it_began_goes_too(own: Places, moment: str) -> None:
    signs = {
        "its folder": own.run,
        "its network": Path("/run/netns", own.namespace("svc")),
        "its first boot": own.node("master") / "boots",
    }
    with started("up", "2") as command:
        until(signs[moment].exists, f"{moment} is there")
        command.send_signal(signal.SIGKILL)
        command.communicate()
    assert said("up", "1").stderr.startswith("lab: This lab is up, or the rest of a dead one is left")
    assert said("down").returncode == 0
    assert left_of(own) == []


def test_a_lab_without_its_supervisors_goes_too(own: Places) -> None:
    assert said("up", "1").returncode == 0
    supervisor = int((own.node("master") / "supervisor").read_text())
    os.kill(supervisor, signal.SIGKILL)
    assert said("down").returncode == 0
    assert left_of(own) == []


def test_what_cannot_be_done_is_said(own: Places) -> None:
    assert "No lab is up" in said("exec", "true").stderr
    assert "There is no machine node7" in said("reboot", "node7").stderr
    assert "There is no flavor windows" in said("up", "--flavor", "windows").stderr
    assert "cgroup v1" in said("up", "--cgroup", "v1").stderr


def test_another_lab_is_left_alone(own: Places) -> None:
    """Processes outside a lab's group are never counted as its own."""
    with subprocess.Popen(["sleep", "600"]) as bystander:
        assert said("up", "1").returncode == 0
        assert said("down").returncode == 0
        assert bystander.poll() is None
        bystander.kill()
    assert not cgroups.group(own).exists()
