"""`gpumon free`: what is free, where a job of so many GPUs fits on one node now, and when room is made."""

from __future__ import annotations

from contextlib import closing
from functools import partial

from gpumon.errors import NoData
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.source import Parts
from gpumon_cli import sources
from gpumon_cli.answers import Answer, Watching, deliver
from gpumon_cli.arguments import Options
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.free_shape import free_answer
from gpumon_cli.free_text import free_lines, free_remarks
from gpumon_cli.json_text import json_bytes
from gpumon_cli.offer import offer_of
from gpumon_cli.remarks import demo_line, ended, remarks_on
from gpumon_cli.room import rooms_of
from gpumon_cli.terminal import Terminal

_PARTS = Parts.GPUS | Parts.NODES | Parts.SLURM | Parts.JOBS


def run_free(options: Options) -> int:
    """Reads and says it; exit code 1 when such a job could not start now."""
    settings, screen = sources.settings_of(options), Terminal.of_stdout()
    put = partial(_put, options, settings, screen)
    with closing(sources.source_of(options, settings)) as source:
        return deliver(source, _PARTS, put, Watching(options.watch, settings.interval_seconds), screen)


def _put(options: Options, settings: Settings, screen: Terminal, snapshot: ClusterSnapshot) -> Answer:
    rooms = rooms_of(snapshot)
    if all(room.free is None for room in rooms):
        why = snapshot.why_missing("jobs", "jobs") if snapshot.gpus else snapshot.why_missing("gpus", "")
        where = f"{snapshot.source} does not tell which GPUs are free"
        raise NoData(f"{where}: {ended(why)}", advice="`gpumon doctor` says what to do.")
    offer = offer_of(rooms, options.gpus, options.type, snapshot)
    code = ExitCode.OK if offer.now else ExitCode.FINDINGS
    if options.json:
        return Answer(json_bytes(free_answer(offer, snapshot), to_terminal=screen.is_tty), code=code)
    lines = [*demo_line(snapshot), *free_lines(offer, snapshot, settings, screen)]
    remarks = (*remarks_on(snapshot, ("slurm", "jobs"), (), ()), *free_remarks(offer))
    return Answer("".join(f"{line}\n" for line in lines), remarks, code)
