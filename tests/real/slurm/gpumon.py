"""The installed `gpumon`, as a user runs it on the cluster's Prometheus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from real.daemons import Engine

GPUMON = str(Path(sys.executable).parent / "gpumon")


def run(engine: Engine, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """How a command ends, without any configuration."""
    return subprocess.run(
        [GPUMON, *arguments, "--prometheus", engine.url],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def answer(engine: Engine, home: Path, *arguments: str) -> Any:
    """What a command says in JSON."""
    done = run(engine, home, *arguments, "--json")
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)


def jobs(engine: Engine, home: Path) -> dict[str, dict[str, Any]]:
    """`gpumon jobs --json` by Slurm's number."""
    return {job["id"]: job for job in answer(engine, home, "jobs")["jobs"]}
