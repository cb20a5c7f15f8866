"""Draws docs/dashboard.svg: the real dashboard on the simulated cluster at a fixed moment (`make picture`)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from gpumon.settings import Settings
from gpumon_demo.source import DemoSource
from gpumon_tui.app import GpumonApp

MOMENT = 1_796_000_000.0
SIZE = (120, 38)
WHERE = Path(__file__).parent.parent / "docs" / "dashboard.svg"


async def picture() -> str:
    """The first screen as SVG, drawn with whatever monospaced font the reader has."""
    app = GpumonApp(DemoSource(nodes=12, seed=1, clock=lambda: MOMENT), Settings())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(3)
        drawn = app.export_screenshot(title="gpumon-tui --demo")
    without_hosts = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    plain = re.sub(r"font-family: Fira Code, monospace", "font-family: monospace", without_hosts)
    return plain.replace("<text ", '<text xml:space="preserve" ')


if __name__ == "__main__":
    WHERE.write_text(asyncio.run(picture()), encoding="utf-8")
