"""`gpumon job ID`: everything about one job, an array or a heterogeneous job."""

from __future__ import annotations

from contextlib import closing
from functools import partial

from gpumon.errors import NoData
from gpumon.model import ClusterSnapshot, Job
from gpumon.settings import Settings
from gpumon.source import Parts
from gpumon.text import shown
from gpumon.units import count
from gpumon_cli import sources
from gpumon_cli.answers import Answer, Watching, deliver
from gpumon_cli.arguments import Options
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.job_ids import found
from gpumon_cli.job_shapes import job_answer
from gpumon_cli.job_text import gpus_of, job_lines
from gpumon_cli.json_text import json_bytes
from gpumon_cli.queue_text import why_no_jobs
from gpumon_cli.remarks import demo_line, ended, remarks_on
from gpumon_cli.terminal import Terminal

_PARTS = Parts.JOBS | Parts.GPUS | Parts.SLURM | Parts.IDLE


def run_job(options: Options) -> int:
    """Reads and says it; exit code 1 when there is no such job.

    Raises:
        UsageError: what was typed is not the id of a job.
    """
    found(options.job, ())
    settings, screen = sources.settings_of(options), Terminal.of_stdout()
    put = partial(_put, options, settings, screen)
    with closing(sources.source_of(options, settings)) as source:
        return deliver(source, _PARTS, put, Watching(options.watch, settings.interval_seconds), screen)


def _put(options: Options, settings: Settings, screen: Terminal, snapshot: ClusterSnapshot) -> Answer:
    if snapshot.jobs is None:
        why = why_no_jobs(snapshot) if snapshot.queue else ended(snapshot.why_missing("slurm", ""))
        raise NoData(f"{snapshot.source} tells of no single job: {why}", advice="`gpumon doctor` says what to do.")
    jobs = found(options.job, snapshot.jobs)
    gpus, code = gpus_of(jobs, snapshot), ExitCode.OK if jobs else ExitCode.FINDINGS
    if options.json:
        answer = job_answer(options.job, jobs, gpus, snapshot)
        return Answer(json_bytes(answer, to_terminal=screen.is_tty), code=code)
    lines = job_lines(jobs, snapshot, settings, screen) if jobs else [_not_there(options.job, snapshot)]
    remarks = remarks_on(snapshot, ("jobs", "slurm"), gpus, ())
    return Answer("".join(f"{line}\n" for line in (*demo_line(snapshot), *lines)), remarks, code)


def _not_there(typed: str, snapshot: ClusterSnapshot) -> str:
    """Why a job may be missing; an exporter names only so many of those that wait."""
    number = typed.partition("+")[0].partition("_[")[0]
    sentence = (
        f"Job {shown(typed, 80)} is not in the queue: it has ended, or there never was one (`sacct -j {number}` knows)."
    )
    unnamed = _waiting_unnamed(snapshot.jobs or (), snapshot)
    if unnamed:
        sentence += f" Or it is one of {count(unnamed)} waiting ones that the exporter only counts."
    return sentence


def _waiting_unnamed(jobs: tuple[Job, ...], snapshot: ClusterSnapshot) -> float:
    counted = snapshot.queue.by_state.get("pending", 0.0) if snapshot.queue else 0.0
    return max(0.0, counted - sum(job.tasks or 1 for job in jobs if job.state == "pending"))
