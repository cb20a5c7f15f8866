"""Writes gpumon-slurm-exporter as the one file that the setup deploys: exporter_zipapp.py FILE."""

from __future__ import annotations

import sys
from pathlib import Path

from gpumon_setup.components.exporter_program import packed

if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(packed())
    target.chmod(0o755)
