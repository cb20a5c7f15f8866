"""Which images are run, each pinned to a version: a stack that was seen to work stays the one that runs."""

NODE_EXPORTER = "quay.io/prometheus/node-exporter:v1.11.1"
"""node_exporter: load, memory, disks and network of every machine."""

DCGM_EXPORTER = "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless"
"""dcgm-exporter: what every NVIDIA GPU does; the versions of DCGM and of the exporter, and what lies below."""

DCGM_EXPORTER_FOR_DOCKER_29 = "nvcr.io/nvidia/k8s/dcgm-exporter:4.2.0-4.1.0-ubuntu22.04"
"""The last tag that Docker 29 can pull: those from 4.2.3 to 4.8.2 end with "Incorrect Repository Format"."""

PROMETHEUS = "quay.io/prometheus/prometheus:v3.5.3"
"""Prometheus, of the line with long-term support."""

GRAFANA = "docker.io/grafana/grafana:13.1.4"
"""Grafana, of the last line that has what it needs for Prometheus in itself: later ones may fetch it at a start."""
