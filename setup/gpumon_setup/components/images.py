"""Which images are run, each pinned to a version: a stack that was seen to work stays the one that runs."""

NODE_EXPORTER = "quay.io/prometheus/node-exporter:v1.11.1"
