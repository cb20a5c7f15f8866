"""Slurm's queue: what runs, what waits and why, by job, partition, user and account."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from gpumon.columns import ACCOUNT_COLUMNS, PARTITION_COLUMNS, USER_COLUMNS
from gpumon.model import ClusterSnapshot, Job
from gpumon_tui.messages import JobChosen
from gpumon_tui.picture import Picture
from gpumon_tui.tones import NO_ACCOUNT_TONES, NO_PARTITION_TONES, NO_USER_TONES
from gpumon_tui.views.table_view import TableView
from gpumon_tui.widgets.job_table import QUEUE, JobTable
from gpumon_tui.widgets.listing import Rows
from gpumon_tui.widgets.narrowing import compact
from gpumon_tui.widgets.queue import QueueLines
from gpumon_tui.widgets.remarks import PartRemarks
from gpumon_tui.widgets.table import RowTable

_NEEDS = "Install gpumon-slurm-exporter, or Slurm's own OpenMetrics endpoint, to see each job."


class JobsView(TableView):
    """The queue in two lines, the jobs, and who uses how much."""

    def parts(self) -> Iterable[Widget]:
        """From the whole queue to its parts."""
        shown_units = self.settings.units
        self._remarks = PartRemarks()
        self._queue = QueueLines()
        self._jobs = JobTable(QUEUE, self.settings, id="jobs")
        partitions = Rows(compact(PARTITION_COLUMNS), lambda row: row.name, NO_PARTITION_TONES)
        users = Rows(compact(USER_COLUMNS), lambda row: row.name, NO_USER_TONES)
        accounts = Rows(compact(ACCOUNT_COLUMNS), lambda row: row.name, NO_ACCOUNT_TONES)
        self._partitions = RowTable(partitions, units=shown_units, id="partitions")
        self._users = RowTable(users, units=shown_units, id="users")
        self._accounts = RowTable(accounts, units=shown_units, id="accounts")
        yield self._remarks
        yield self._queue
        yield self._jobs
        yield Horizontal(self._partitions, self._users, self._accounts, id="use")

    @property
    def table(self) -> RowTable[Job]:
        """Jobs."""
        return self._jobs

    def show(self, picture: Picture) -> None:
        """Puts a picture on every table."""
        snapshot = picture.snapshot
        self._remarks.put(self.problems_of("slurm", "jobs"))
        self._queue.put(picture)
        self.set_class(snapshot.jobs is None, "-no-jobs")
        self._jobs.empty = self._why_no_jobs(picture)
        self._jobs.put(snapshot.jobs or (), snapshot)
        why = "Waiting…" if picture.is_empty else f"No Slurm data: {snapshot.why_missing('slurm', 'by_state')}."
        self._partitions.empty = why if snapshot.queue is None else "No partition known."
        self._users.empty = why if snapshot.queue is None else "No user in the queue."
        self._accounts.empty = why if snapshot.queue is None else "No account in the queue."
        self._partitions.put(snapshot.partitions, snapshot)
        self._users.put(snapshot.users, snapshot)
        self._accounts.put(snapshot.accounts, snapshot)

    @property
    def idle_filter(self) -> str:
        """Jobs of which at least one GPU is hardly busy."""
        return f"low<{self.settings.thresholds.idle_share * 100:g}"

    def focus_rows(self) -> None:
        """The jobs have the keys, or the users where single jobs are not known."""
        (self._users if self.has_class("-no-jobs") else self._jobs).focus()

    @on(RowTable.Chosen, "#jobs")
    def tell_job(self, event: RowTable.Chosen) -> None:
        """A job was chosen."""
        event.stop()
        self.post_message(JobChosen(event.key))

    @on(RowTable.Chosen, "#users, #accounts, #partitions")
    def narrow(self, event: RowTable.Chosen) -> None:
        """A user, an account or a partition was chosen: its jobs are shown."""
        event.stop()
        column = {"users": "user", "accounts": "account", "partitions": "partition"}[event.table.id or ""]
        quoted = event.key.replace('"', '\\"')
        self.post_message(self.Narrowed(f'{column}="{quoted}"'))

    def _why_no_jobs(self, picture: Picture) -> str:
        snapshot: ClusterSnapshot = picture.snapshot
        if picture.is_empty:
            return "Waiting for the first data…"
        if snapshot.jobs is not None:
            return "The queue is empty."
        return f"Single jobs are not known: {snapshot.why_missing('jobs', 'jobs')}. {_NEEDS}"
