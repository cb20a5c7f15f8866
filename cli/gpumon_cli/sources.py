"""Which settings hold and which source of snapshots is meant, from what was typed."""

from __future__ import annotations

from pathlib import Path

from gpumon.settings import Settings
from gpumon.source import ClusterSource
from gpumon_cli.arguments import Options


def settings_of(options: Options) -> Settings:
    """The configuration with the flags of the command line over it.

    The simulated cluster reads only a file that is named: it must work where a site's own is broken.

    Raises:
        ConfigError: the configuration has mistakes.
        UsageError: a flag has.
    """
    from gpumon.config import load_settings, with_overrides

    if options.demo and options.config is None and options.cluster is None:
        settings = Settings()
    else:
        settings = load_settings(Path(options.config) if options.config is not None else None, cluster=options.cluster)
    return with_overrides(settings, url=options.prometheus, interval=options.interval, theme=options.theme)


def source_of(options: Options, settings: Settings) -> ClusterSource:
    """The simulated cluster with `--demo`, else the Prometheus of the settings; nothing is asked yet."""
    if options.demo:
        from gpumon_demo.source import DemoSource

        return DemoSource(nodes=options.demo_nodes, seed=options.demo_seed)
    from gpumon.live import PrometheusSource

    return PrometheusSource(settings)
