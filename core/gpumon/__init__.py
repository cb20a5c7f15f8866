"""gpumon's core: what a cluster is, how it is read from Prometheus, and how it is said in words."""

__version__ = "0.1.0"
