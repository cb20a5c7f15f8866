"""The cluster as a real Prometheus knows it: what is asked, how often, and how the answers become one snapshot."""

from gpumon.live.source import PrometheusSource

__all__ = ["PrometheusSource"]
