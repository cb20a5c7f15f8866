"""A source that answers by script, and what a user sees of the dashboard, for tests of the screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event
from time import monotonic
from types import MappingProxyType

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget

from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.source import Parts, Point
from gpumon_tui.app import GpumonApp
from gpumon_tui.screens.cluster import ClusterScreen

SIZES = (
    (80, 24),
    pytest.param((120, 40), marks=pytest.mark.thorough),
    pytest.param((200, 50), marks=pytest.mark.thorough),
)
_PATIENCE_SECONDS = 20.0


class ScriptedSource:
    """Hands out snapshots and raises errors in the order of its script, the last one again and again."""

    label = "http://head:9090"

    def __init__(
        self,
        *script: ClusterSnapshot | BaseException,
        history: tuple[Point, ...] | BaseException = (),
        gpu_history: Mapping[str, tuple[Point, ...]] | BaseException = MappingProxyType({}),
    ) -> None:
        self.script = list(script)
        self.history = history
        self.told_of_gpus = gpu_history
        self.questions: list[tuple[tuple[str, ...], str, float]] = []
        """What was asked about GPUs: keys, field, seconds."""
        self.asked = 0
        self.is_closed = False
        self.gate = Event()
        """A question waits while this is cleared."""
        self.gate.set()

    def snapshot(self, parts: Parts = Parts.ALL) -> ClusterSnapshot:
        """The next of the script."""
        assert self.gate.wait(_PATIENCE_SECONDS)
        self.asked += 1
        told = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(told, BaseException):
            raise told
        return told

    def utilization_history(self, seconds: float, points: int) -> tuple[Point, ...]:
        """The history of the script."""
        if isinstance(self.history, BaseException):
            raise self.history
        return self.history

    def gpu_history(
        self, keys: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """The history of the script, of those that it tells of."""
        self.questions.append((tuple(keys), field, seconds))
        if isinstance(self.told_of_gpus, BaseException):
            raise self.told_of_gpus
        return {key: line for key, line in self.told_of_gpus.items() if key in keys}

    def node_history(
        self, nodes: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """As of GPUs."""
        return self.gpu_history(nodes, field, seconds, points)

    def close(self) -> None:
        """Remembers it."""
        self.is_closed = True


def dashboard(*script: ClusterSnapshot | BaseException, settings: Settings | None = None) -> GpumonApp:
    """The app on a scripted source; it asks again only when a test presses `r`."""
    return GpumonApp(ScriptedSource(*script), settings or Settings(), interval=3600.0)


def seen(app: App[None]) -> str:
    """What stands on the screen, line by line."""
    strips = app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  # the only way to the text
    return "\n".join(strip.text for strip in strips)


def seen_of(app: App[None], kind: type[Widget]) -> list[str]:
    """What stands in the one widget of this kind, line by line."""
    region = app.screen.query_one(kind).region
    return [line[region.x : region.right] for line in seen(app).splitlines()[region.y : region.bottom]]


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Lets the app go on until something holds."""
    give_up = monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert monotonic() < give_up, f"it never came true; the screen is:\n{seen(pilot.app)}"
        await pilot.pause(0.005)
    await pilot.pause()


def is_ready(app: GpumonApp) -> bool:
    """True once the views are there, which come after the first frame."""
    return isinstance(app.screen, ClusterScreen) and app.screen.is_ready


async def first_picture(pilot: Pilot[None]) -> None:
    """Lets the first snapshot come."""
    app = pilot.app
    assert isinstance(app, GpumonApp)
    await until(pilot, lambda: not app.picture.is_empty and is_ready(app))
    await pilot.pause()


async def next_picture(pilot: Pilot[None]) -> None:
    """Asks for the next of the script and lets it come."""
    app = pilot.app
    assert isinstance(app, GpumonApp)
    before = app.connection
    await pilot.press("r")

    def has_come() -> bool:
        now = app.connection
        # On a busy machine the app may have asked again by itself before, and got the very same reason.
        is_lost_anew = now.retry_at not in (None, before.retry_at)
        return is_lost_anew or (now.answered_at, now.reason) != (before.answered_at, before.reason)

    await until(pilot, has_come)
