"""What the app does for a typed command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpumon.errors import FilterError
from gpumon.settings import THEMES
from gpumon.text import shown
from gpumon_tui.commands import VIEWS, Command, NotACommand, gpu_key, job_key
from gpumon_tui.messages import GpuChosen, JobChosen, NodeChosen
from gpumon_tui.scales import SCALES
from gpumon_tui.screens.cluster import ClusterScreen
from gpumon_tui.themes import theme_name
from gpumon_tui.views.overview import Overview

if TYPE_CHECKING:
    from gpumon_tui.app import GpumonApp


async def do_command(app: GpumonApp, command: Command) -> None:
    """Does what was typed.

    Raises:
        NotACommand: it cannot be done, or not here.
    """
    word, argument = command.word, command.argument
    if word in VIEWS:
        await app.action_open_view(VIEWS.index(word) + 1)
        if argument:
            await _filter(app, argument)
    elif word == "filter":
        await _filter(app, argument)
    elif word == "sort":
        _sort(app, argument)
    elif word == "metric":
        await _show_scale(app, argument)
    elif word == "theme":
        _turn_theme(app, argument)
    elif word == "interval":
        app.refresh_every(_seconds(argument))
    elif word in ("node", "gpu", "job"):
        _open(app, word, argument)
    else:
        await app.run_action({"refresh": "refresh_now"}.get(word, word))


def _open(app: GpumonApp, word: str, name: str) -> None:
    snapshot = app.snapshot
    if word == "node":
        if name not in snapshot.node_by_name:
            raise NotACommand(f"no node {shown(name, 30)} is known")
        app.screen.post_message(NodeChosen(name))
    elif word == "gpu":
        app.screen.post_message(GpuChosen(gpu_key(name, snapshot)))
    else:
        app.screen.post_message(JobChosen(job_key(name, snapshot)))


async def _filter(app: GpumonApp, text: str) -> None:
    try:
        await _cluster(app).filter_by(text)
    except FilterError as error:
        raise NotACommand(shown(error.reason)) from error


def _sort(app: GpumonApp, key: str) -> None:
    view = _cluster(app).view
    if key not in view.sort_keys:
        known = ", ".join(view.sort_keys) or "nothing here"
        raise NotACommand(f"no column {shown(key, 20)}; known are {known}")
    view.sort_by(key)


async def _show_scale(app: GpumonApp, name: str) -> None:
    scale = next((scale for scale in SCALES if scale.name.startswith(name.lower())), None)
    if scale is None:
        raise NotACommand(f"known are {', '.join(scale.name for scale in SCALES)}")
    await app.action_open_view(1)
    _cluster(app).query_one(Overview).show_scale(scale)


def _turn_theme(app: GpumonApp, look: str) -> None:
    name = theme_name(look) if look in THEMES else look
    if name not in app.available_themes:
        raise NotACommand(f"no theme {shown(look, 20)}; ours are {', '.join(THEMES)}")
    app.theme = name


def _seconds(text: str) -> float | None:
    """None for the source's own pace."""
    if text == "auto":
        return None
    number = text.removesuffix("s")
    if not number.isdecimal() or not int(number):
        raise NotACommand("interval needs whole seconds, or auto")
    return float(number)


def _cluster(app: GpumonApp) -> ClusterScreen:
    if not isinstance(app.screen, ClusterScreen) or not app.screen.is_ready:
        raise NotACommand("there are no rows to filter or sort here")
    return app.screen
