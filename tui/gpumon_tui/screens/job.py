"""The screen of one job: what it is, its GPUs on every node with their history, or why it waits and for how long."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs
from textual import on
from textual.widget import Widget

from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.usage import job_usage
from gpumon_tui.job_facts import JobSeen, facts_of
from gpumon_tui.messages import JobChosen
from gpumon_tui.picture import Picture
from gpumon_tui.screens.detail import DetailScreen
from gpumon_tui.widgets.facts import Fact, Facts
from gpumon_tui.widgets.job_gauges import JobGauges
from gpumon_tui.widgets.remarks import PartRemarks
from gpumon_tui.widgets.rivals import RivalTable
from gpumon_tui.widgets.table import RowTable


class JobScreen(DetailScreen):
    """One job by its raw id; when it has left the queue the last picture of it stays, and says so."""

    def __init__(self, settings: Settings, label: str, job_id: str, trail: tuple[str, ...]) -> None:
        super().__init__(settings, label, trail)
        self.job_id = job_id
        self._seen: JobSeen | None = None
        self._is_waiting: bool | None = None
        self._remarks = PartRemarks()
        self._facts = Facts()
        self._gauges = JobGauges(settings.thresholds, settings.units, may_be_tall=True)
        self._rivals = RivalTable(settings)

    def parts(self) -> Iterable[Widget]:
        """From what it is to what it did."""
        yield self._remarks
        for part in (self._facts, self._gauges, self._rivals, self.charts):
            part.add_class("body")
            yield part

    @property
    def charted(self) -> tuple[str, ...]:
        """Those of its GPUs that are known."""
        return tuple(gpu.key for gpu in self._gauges.gpus)

    @property
    def copied(self) -> str:
        """Its number as Slurm prints it."""
        return self.job_id if self._seen is None else self._seen.job.shown_id

    @property
    def is_over(self) -> bool:
        """True when it has left the queue."""
        return self._seen is not None and self._seen.gone_at is not None

    def show(self, picture: Picture) -> None:
        """Puts a picture on every part."""
        if picture.is_empty:
            return
        snapshot = picture.snapshot
        self._remarks.put([each for each in snapshot.problems if each.part in ("jobs", "slurm")])
        job = snapshot.job_by_id.get(self.job_id)
        if job is not None:
            self._seen = JobSeen(job, snapshot)
        elif self._seen is not None and snapshot.jobs is not None and self._seen.gone_at is None:
            self._seen = structs.replace(self._seen, gone_at=snapshot.taken_at)
        if self._seen is None:
            self._facts.put(((Fact("", f"No job {shown(self.job_id, 40)} is in the queue.", "quiet"),),))
            return
        self._show_job(self._seen)

    @on(RowTable.Chosen)
    def tell_job(self, event: RowTable.Chosen) -> None:
        """Another job of the queue was chosen."""
        event.stop()
        if event.key != self.job_id:
            self.post_message(JobChosen(event.key))

    def _show_job(self, seen: JobSeen) -> None:
        job, snapshot = seen.job, seen.snapshot
        is_waiting = job.state == "pending" and seen.gone_at is None
        if is_waiting != self._is_waiting:
            self._is_waiting = is_waiting
            self.set_class(is_waiting, "-waiting")
            (self._rivals if is_waiting else self._gauges).focus()
        if is_waiting:
            self._rivals.put_around(job, snapshot)
        self.set_class(seen.gone_at is not None, "-gone")
        self._facts.put(facts_of(seen, self.settings.units))
        usage = job_usage(job, snapshot)
        self._gauges.put(job, usage.gpus, snapshot, self._why_no_gpus(seen))
        self.charts.put(usage.gpus, job.started_at, snapshot.taken_at)
        self.charts.set_class(not usage.gpus, "-absent")
        self.refresh_bindings()

    def _why_no_gpus(self, seen: JobSeen) -> str:
        if seen.job.gpus == 0:
            return "It has asked for no GPU."
        if seen.job.state == "pending":
            return "It waits; it holds no GPU yet."
        return f"Which GPUs it holds is not known: {shown(seen.snapshot.why_missing('jobs', 'held'))}."
