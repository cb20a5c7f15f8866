"""The walk of `gpumon doctor`, in order: each step that succeeds makes the next one possible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from gpumon.errors import NoData, SourceError
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.source import ClusterSource
from gpumon_cli import sources
from gpumon_cli.arguments import Options
from gpumon_cli.doctor.exporters import exporter_steps, problem_steps
from gpumon_cli.doctor.names import label_steps, name_steps
from gpumon_cli.doctor.reach import configuration_step, reach_steps
from gpumon_cli.doctor.steps import Diagnosis, Mark, Step, step_lines, verdict, worst_code
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.json_text import json_bytes
from gpumon_cli.remarks import demo_line
from gpumon_cli.terminal import Terminal, narrate, write, write_bytes


def run_doctor(options: Options) -> ExitCode:
    """Looks at everything between here and the numbers; 0 all well, 1 something to do, 3 no numbers at all."""
    settings = sources.settings_of(options)
    screen = Terminal.of_stdout()
    with closing(sources.source_of(options, settings)) as source:
        if not options.json:
            narrate(f"Looking at {source.label} …")
        snapshot, error = _read(source)
        steps = tuple(_steps(options, settings, source.label, snapshot, error))
        is_simulated = options.demo if snapshot is None else snapshot.is_simulated
        if options.json:
            diagnosis = Diagnosis("gpumon.doctor/1", source.label, settings.cluster, is_simulated, steps)
            write_bytes(json_bytes(diagnosis, to_terminal=screen.is_tty))
        else:
            lines = [*demo_line(snapshot or ClusterSnapshot()), *step_lines(steps, screen), verdict(steps)]
            write("".join(f"{line}\n" for line in lines))
    return ExitCode.UNREACHABLE if error is not None else worst_code(steps)


def _read(source: ClusterSource) -> tuple[ClusterSnapshot | None, SourceError | None]:
    try:
        return source.snapshot(), None
    except SourceError as error:
        return None, error


def _steps(
    options: Options, settings: Settings, where: str, snapshot: ClusterSnapshot | None, error: SourceError | None
) -> Iterator[Step]:
    if options.demo:
        yield Step("configuration", Mark.NOTE, "simulated cluster: there is no server to look at")
    else:
        yield configuration_step(settings, where, overridden=options.prometheus is not None)
        yield from reach_steps(settings.prometheus, where, error)
        if error is None or isinstance(error, NoData):
            yield from _server_steps(settings, snapshot)
    if snapshot is not None and options.demo:
        yield from exporter_steps(snapshot, None)
    if snapshot is not None:
        yield from name_steps(snapshot)
        yield from problem_steps(snapshot)


def _server_steps(settings: Settings, snapshot: ClusterSnapshot | None) -> Iterator[Step]:
    """What only the server can tell about itself, through prometheus-api-client."""
    from gpumon_cli.doctor.scraping import clock_step, engine_step, interval_step, target_steps
    from gpumon_cli.doctor.server import Server, ServerSilent

    with closing(Server(settings.prometheus)) as server:
        yield engine_step(server)
        yield clock_step(server, settings)
        try:
            targets = server.targets()
        except ServerSilent as silent:
            yield Step("targets", Mark.DOUBT, str(silent))
        else:
            yield from target_steps(targets)
            if (interval := interval_step(targets, settings)) is not None:
                yield interval
            yield from label_steps(targets)
        try:
            metrics = server.metrics() or None
        except ServerSilent:
            metrics = None  # an old or other engine keeps no metadata; the gaps are told without it
        if snapshot is not None:
            yield from exporter_steps(snapshot, metrics)
