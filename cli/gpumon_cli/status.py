"""`gpumon status`: what the GPUs are doing, who holds them, what is wrong; also as a monitoring plugin."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from gpumon.findings import Finding, findings
from gpumon.model import ClusterSnapshot, Severity
from gpumon.settings import Settings
from gpumon.source import Parts
from gpumon.totals import ClusterTotals
from gpumon_cli import sources
from gpumon_cli.answers import Answer, Put, Watching, deliver
from gpumon_cli.arguments import Options
from gpumon_cli.check import Check, verdict
from gpumon_cli.conditions import parse_conditions
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.holders import holders_of, types_of
from gpumon_cli.idle import idleness
from gpumon_cli.json_text import json_bytes
from gpumon_cli.remarks import demo_line
from gpumon_cli.status_shape import status_answer
from gpumon_cli.status_text import status_lines
from gpumon_cli.terminal import Terminal


def run_status(options: Options) -> int:
    """Reads everything and says it; the exit code is described in docs/exit-codes.md."""
    check = Check(parse_conditions(options.warn), parse_conditions(options.crit))
    settings = sources.settings_of(options)
    screen = Terminal.of_stdout()
    put = put_status(options, settings, check if options.warn or options.crit else None, screen)
    with closing(sources.source_of(options, settings)) as source:
        return deliver(source, Parts.ALL, put, Watching(options.watch, settings.interval_seconds), screen)


def put_status(options: Options, settings: Settings, check: Check | None, screen: Terminal) -> Put:
    """How a snapshot becomes the status; with a check, its verdict comes first and is the exit code."""

    def put(snapshot: ClusterSnapshot) -> Answer:
        totals = ClusterTotals.of(snapshot, settings.thresholds)
        types = types_of(snapshot, settings.thresholds)
        holders = holders_of(snapshot, settings.thresholds)
        idle = idleness(snapshot, settings.thresholds)
        found = findings(snapshot, settings.thresholds)
        judged = None if check is None else check.judge(totals)
        code = _code(found) if judged is None else verdict(judged)
        if options.json:
            answer = status_answer(snapshot, totals, types, holders, idle, found, judged)
            return Answer(json_bytes(answer, to_terminal=screen.is_tty), code=code)
        if check is not None and judged is not None:
            demo = " (DEMO, simulated)" if snapshot.is_simulated else ""
            return Answer(f"{check.line(totals, judged, demo)}\n", code=code)
        lines = [
            *demo_line(snapshot),
            *status_lines(snapshot, totals, types, holders, idle, found, settings, screen),
        ]
        return Answer("".join(f"{line}\n" for line in lines), code=code)

    return put


def _code(found: Sequence[Finding]) -> ExitCode:
    needs_a_look = any(each.severity is not Severity.NOTE for each in found)
    return ExitCode.FINDINGS if needs_a_look else ExitCode.OK
