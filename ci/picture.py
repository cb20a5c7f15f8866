"""Draws the README's pictures: the real dashboard on the simulated cluster at a fixed moment (`make picture`)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from textual.pilot import Pilot

from gpumon.model import ClusterSnapshot, Job
from gpumon.settings import Settings
from gpumon_demo.source import DemoSource
from gpumon_tui.app import GpumonApp

MOMENT = 1_796_000_000.0
SIZE = (120, 38)
WHERE = Path(__file__).parent.parent / "docs"


@dataclass(frozen=True)
class Shot:
    """One picture: what is typed behind the colon, and what is pressed then."""

    file: str
    command: Callable[[ClusterSnapshot], str]
    keys: Sequence[str] = ()


def _widest(snapshot: ClusterSnapshot) -> Job:
    """The running job with the most GPUs."""
    return max((job for job in snapshot.jobs or () if job.state == "running"), key=lambda job: len(job.held))


def _busiest_node(snapshot: ClusterSnapshot) -> str:
    """With the most jobs on its whole GPUs."""
    return max(
        snapshot.nodes, key=lambda node: len({g.jobs for g in snapshot.gpus_of(node.name) if not g.device.mig})
    ).name


def _gpu(snapshot: ClusterSnapshot) -> str:
    gpu = snapshot.gpu_by_key[_widest(snapshot).held[0]]
    return f"{gpu.node} {gpu.device.number}"


SHOTS = (
    Shot("dashboard.svg", lambda _: ""),
    Shot("node.svg", lambda snapshot: f"node {_busiest_node(snapshot)}"),
    Shot("job.svg", lambda snapshot: f"job {_widest(snapshot).shown_id}"),
    Shot("gpu.svg", lambda snapshot: f"gpu {_gpu(snapshot)}", ("right_square_bracket",)),
)


async def picture(shot: Shot) -> str:
    """One screen as SVG, drawn with whatever monospaced font the reader has."""
    app = GpumonApp(DemoSource(nodes=12, seed=1, clock=lambda: MOMENT), Settings())
    async with app.run_test(size=SIZE) as pilot:
        await _quiet(pilot, lambda: not app.picture.is_empty)
        command = shot.command(app.snapshot)
        if command:
            await pilot.press("colon", *("space" if letter == " " else letter for letter in command), "enter")
        await pilot.press(*shot.keys)
        await _quiet(pilot, lambda: not command or bool(app.gpu_history.by_gpu))
        drawn = app.export_screenshot(title=f"gpumon-tui --demo{' › ' + command if command else ''}")
    without_hosts = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    plain = re.sub(r"font-family: Fira Code, monospace", "font-family: monospace", without_hosts)
    return plain.replace("<text ", '<text xml:space="preserve" ')


async def _quiet(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Lets the app go on until something holds, and then until nothing of it is on its way any more."""
    give_up = monotonic() + 60.0
    while not holds() or any(worker.group != "poll" for worker in pilot.app.workers):
        if monotonic() > give_up:
            raise TimeoutError
        await pilot.pause(0.05)
    await pilot.pause(1.0)


if __name__ == "__main__":
    for each in SHOTS:
        (WHERE / each.file).write_text(asyncio.run(picture(each)), encoding="utf-8")
