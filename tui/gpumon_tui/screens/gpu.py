"""The screen of one GPU: what it is, who holds it, how it is, and what it did over a range of time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from gpumon.settings import Settings
from gpumon.text import shown
from gpumon_tui.gpu_facts import facts_of
from gpumon_tui.messages import JobChosen
from gpumon_tui.picture import Picture
from gpumon_tui.screens.detail import DetailScreen
from gpumon_tui.widgets.facts import Fact, Facts


class GpuScreen(DetailScreen):
    """One GPU by its key; Enter leads to the job that holds it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_job", "Its job", key_display="Enter", id="gpu.job", tooltip="Open its job"),
    ]

    def __init__(self, settings: Settings, label: str, key: str, trail: tuple[str, ...]) -> None:
        super().__init__(settings, label, trail)
        self.key = key
        self._facts = Facts()

    def parts(self) -> Iterable[Widget]:
        """From what it is to what it did."""
        for part in (self._facts, self.charts):
            part.add_class("body")
            yield part

    @property
    def charted(self) -> tuple[str, ...]:
        """It alone."""
        return (self.key,)

    @property
    def copied(self) -> str:
        """Its key."""
        return self.key

    def show(self, picture: Picture) -> None:
        """Puts a picture on every part."""
        if picture.is_empty:
            return
        snapshot = picture.snapshot
        gpu = snapshot.gpu_by_key.get(self.key)
        if gpu is None:
            self._facts.put(((Fact("", f"Nothing tells of GPU {shown(self.key, 60)} now.", "warm"),),))
            return
        self._facts.put(facts_of(gpu, snapshot, self.settings))
        self.charts.put((gpu,), None, snapshot.taken_at)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nobody holds it, there is no job to open."""
        if action == "open_job":
            gpu = self.picture.snapshot.gpu_by_key.get(self.key)
            return bool(gpu and gpu.jobs)
        return super().check_action(action, parameters)

    def action_open_job(self) -> None:
        """Leads to the first job that holds it."""
        gpu = self.picture.snapshot.gpu_by_key.get(self.key)
        if gpu is not None and gpu.jobs:
            self.post_message(JobChosen(gpu.jobs[0]))
