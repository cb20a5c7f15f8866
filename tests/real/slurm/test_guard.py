"""Nothing of a cluster outlives the tests, not even when they are killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from real.daemons import until
from slurm_site.guard import processes_of

pytestmark = pytest.mark.xdist_group("slurm")

TESTS = Path(__file__).parents[2]
TESTS_THAT_ARE_KILLED = """
import subprocess, sys
guard = subprocess.Popen([sys.executable, "-m", "slurm_site.guard", sys.argv[1]], stdin=subprocess.PIPE)
mark = {"SLURM_CONF": f"{sys.argv[1]}/slurm.conf"}
for _ in range(3):
    subprocess.Popen(["/bin/sleep", "600"], env=mark, start_new_session=True)
print(guard.pid, flush=True)
sys.stdin.read()
"""


def test_daemons_and_folder_go_when_the_tests_are_killed(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / "slurm.conf").touch()
    tests = subprocess.Popen(
        [sys.executable, "-c", TESTS_THAT_ARE_KILLED, folder],
        env={"PYTHONPATH": str(TESTS), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with tests:
        assert tests.stdout is not None
        assert tests.stdout.readline(), "the guard runs"
        assert len(processes_of(folder)) == 3
        tests.kill()
    until(lambda: not processes_of(folder) and not folder.exists(), "everything to be gone")
