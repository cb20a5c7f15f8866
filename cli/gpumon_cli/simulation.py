"""`gpumon demo serve`: the simulated cluster as exporters that a real Prometheus can scrape."""

from __future__ import annotations

from gpumon.errors import UsageError
from gpumon_cli.arguments import Options
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.terminal import narrate


def serve(options: Options) -> ExitCode:
    """Answers scrapes until Ctrl-C.

    Raises:
        UsageError: nothing can listen there.
    """
    from gpumon_demo.server import serve_forever

    def tell(host: str, port: int) -> None:
        narrate(f"DEMO – a simulated cluster answers scrapes at http://{host}:{port}; Ctrl-C ends it.")

    try:
        serve_forever(
            options.host,
            options.port,
            nodes=options.demo_nodes,
            seed=options.demo_seed,
            interval_seconds=options.interval or 15.0,
            on_ready=tell,
        )
    except OSError as error:
        raise UsageError(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}.") from error
    return ExitCode.OK
