"""gpumon as users have it, for what is measured from the outside: its own folder of programs (`make bench` makes it)."""

from __future__ import annotations

from pathlib import Path

PROGRAMS = Path(__file__).parent.parent / ".venv-bench" / "bin"
PYTHON, GPUMON, DASHBOARD = (str(PROGRAMS / name) for name in ("python", "gpumon", "gpumon-tui"))
