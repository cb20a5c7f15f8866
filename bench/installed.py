"""gpumon as users have it, for what is measured from the outside: programs in a folder of their own (`make bench`)."""

from __future__ import annotations

from pathlib import Path

PROGRAMS = Path(__file__).parent.parent / ".venv-bench" / "bin"
PYTHON, GPUMON, DASHBOARD = (str(PROGRAMS / name) for name in ("python", "gpumon", "gpumon-tui"))
