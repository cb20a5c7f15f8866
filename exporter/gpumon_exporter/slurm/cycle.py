"""One reading of Slurm: the queue and the nodes each time, the rest when it is due, and nothing that is too old."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gpumon_exporter.clock import Clock
from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm import accounting, config, nodes, partitions, queue, scheduler, shares, usage
from gpumon_exporter.slurm.commands import Answer, Commands, Whole
from gpumon_exporter.slurm.config import Config
from gpumon_exporter.slurm.finished import Finished
from gpumon_exporter.slurm.gpumap import Cartographer
from gpumon_exporter.slurm.nodes import Machines
from gpumon_exporter.slurm.queue import Queue
from gpumon_exporter.slurm.records import (
    AccountShare,
    Reading,
    Scheduler,
    SlurmPartition,
    SlurmReservation,
)
from gpumon_exporter.slurm.seldom import RETRY_SECONDS, SELDOM_SECONDS, Budget, Seldom
from gpumon_exporter.slurm.tables import Table, new_token

T = TypeVar("T")


@dataclass(frozen=True)
class Scope:
    """How much is read."""

    max_pending: int = 5000
    """Waiting jobs that are told one by one."""
    finished_window: float = 3600.0
    """Seconds for which a finished job is told."""
    with_names: bool = True
    """Whether jobs keep their names."""
    with_sacct: bool = True
    """Whether the accounting may be asked."""


class SlurmReader:
    """Reads Slurm with its own commands."""

    def __init__(self, commands: Commands, scope: Scope, stop: Callable[[], None], clock: Clock) -> None:
        """A reader whose commands `stop` ends."""
        self._commands = commands
        self._scope = scope
        self._stop = stop
        self._clock = clock
        self._me = config.me()
        self._map = Cartographer(commands, clock.passed)
        self._finished = Finished(scope.finished_window)
        self._config = Seldom(Config(), self._asked_config)
        self._rights = Seldom(False, self._asked_rights)
        self._partitions: Seldom[tuple[SlurmPartition, ...]] = Seldom((), self._asked_partitions)
        self._reservations: Seldom[tuple[SlurmReservation, ...]] = Seldom((), self._asked_reservations)
        self._shares: Seldom[tuple[AccountShare, ...]] = Seldom((), self._asked_shares)
        self._scheduler: Seldom[Scheduler | None] = Seldom(None, self._asked_scheduler, pause=0.0)
        self._accounting = Seldom(None, self._asked_accounting, pause=RETRY_SECONDS, retry=SELDOM_SECONDS)

    def stop(self) -> None:
        """Ends a command that runs, and lets none begin."""
        self._stop()

    def read(self) -> Reading:
        """One reading; empty but for the commands when Slurm does not tell its queue and its nodes."""
        try:
            jobs = self._queue()
            machines = self._table("sinfo", nodes.command, nodes.answer)
        except NoAnswer:
            return Reading(self._clock.now(), is_up=False, commands=self._commands.results)
        return self._told(jobs, machines, Budget(self._commands.seconds, self._clock.passed))

    def _told(self, jobs: Queue, machines: Machines, budget: Budget) -> Reading:
        """The queue and the nodes with everything that can be known beside them."""
        slurm = self._config.current(budget)
        gpus = self._map.drawn(jobs, slurm.release, budget)
        told_scheduler = self._scheduler.current(budget)
        told_partitions = self._partitions.current(budget)
        told_reservations = self._reservations.current(budget)
        told_shares = self._shares.current(budget)
        hidden = self._hidden(slurm, jobs, budget)
        self._note_finished(jobs, slurm, budget)
        now = self._clock.now()
        window = self._finished.window(now)
        return Reading(
            taken_at=now,
            is_up=True,
            commands=self._commands.results,
            slurm_version=slurm.version,
            cluster=slurm.cluster,
            jobs=jobs.jobs,
            holds=gpus.holds,
            queue=jobs.counts,
            nodes=usage.by_jobs(machines, gpus, sees_jobs="jobs" not in hidden),
            partitions=told_partitions,
            reservations=told_reservations,
            scheduler=told_scheduler,
            shares=told_shares,
            finished=self._finished.newest(),
            finished_counts=self._finished.counts(),
            finished_window_seconds=window,
            left_out=jobs.left_out,
            jobs_without_gpu_map=gpus.unknown,
            hidden=hidden,
        )

    def _queue(self) -> Queue:
        def answer(token: str) -> Table[Queue]:
            return queue.answer(
                token,
                now=self._clock.now(),
                most_pending=self._scope.max_pending,
                with_names=self._scope.with_names,
                me=self._me,
            )

        return self._table("squeue", queue.command, answer)

    def _hidden(self, slurm: Config, jobs: Queue, budget: Budget) -> tuple[str, ...]:
        """What Slurm's PrivateData keeps from us."""
        if not slurm.private or config.is_above(slurm.slurm_uid):
            return ()
        if slurm.has_accounting and self._rights.current(budget):
            return ()
        return config.hidden(slurm.private, has_strangers=jobs.has_strangers)

    def _asked_config(self) -> Config:
        return self._whole("scontrol show config", config.COMMAND, config.config)

    def _asked_rights(self) -> bool:
        return self._whole("sacctmgr", config.rights_command(), config.sees_all)

    def _asked_partitions(self) -> tuple[SlurmPartition, ...]:
        return self._whole("scontrol show partition", partitions.PARTITIONS, partitions.partitions)

    def _asked_reservations(self) -> tuple[SlurmReservation, ...]:
        return self._whole("scontrol show reservation", partitions.RESERVATIONS, partitions.reservations)

    def _asked_shares(self) -> tuple[AccountShare, ...]:
        return self._whole("sshare", shares.COMMAND, shares.shares)

    def _asked_scheduler(self) -> Scheduler:
        return self._whole("sdiag", scheduler.COMMAND, scheduler.scheduler)

    def _note_finished(self, jobs: Queue, slurm: Config, budget: Budget) -> None:
        """Takes note of the jobs that ended, and asks the accounting for those that nobody saw ending."""
        self._finished.add(jobs.finished)
        self._finished.saw(self._clock.now(), slurm.min_job_age)
        if self._finished.has_gap and self._scope.with_sacct and slurm.has_accounting:
            self._accounting.current(budget)

    def _asked_accounting(self) -> None:
        def command(token: str) -> list[str]:
            return accounting.command(token, self._scope.finished_window)

        now = self._clock.now()
        self._finished.add(self._table("sacct", command, accounting.answer))
        self._finished.filled(now)

    def _whole(self, name: str, command: Sequence[str], read: Callable[[str], T]) -> T:
        return self._commands.ask(name, command, Whole(read))

    def _table(self, name: str, command: Callable[[str], Sequence[str]], answer: Callable[[str], Answer[T]]) -> T:
        token = new_token()
        return self._commands.ask(name, command(token), answer(token))
