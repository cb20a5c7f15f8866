"""Where the files of Prometheus are on the master."""

from __future__ import annotations

FOLDER = "/etc/gpumon/prometheus"
TARGETS = f"{FOLDER}/targets"
"""Who is scraped, a file for each kind of exporter."""
