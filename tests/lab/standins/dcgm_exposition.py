"""What the stand-in for dcgm-exporter says at /metrics, in the exact words of the real one."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.standins import dcgm_counters, dcgm_gpus
from lab.standins.dcgm_counters import Counter
from lab.standins.dcgm_flags import Flags
from lab.standins.dcgm_gpus import Gpu

LAST_WITH_CAPITAL_HOSTNAME = (4, 8, 2)
"""The version of the exporter after which its label Hostname is hostname."""
JOB_FILE = re.compile(r"^\d+(\.\d+)?$")
NO_ERROR = {"err_code": "0", "err_msg": "No Error"}


class Exposition:
    """What /metrics says."""

    def __init__(self, flags: Flags, counters: Sequence[Counter], gpus: Sequence[Gpu]) -> None:
        self._counters = counters
        self._gpus = gpus
        self._interval = int(flags.texts["collect-interval"]) / 1000
        self._jobs = Path(flags.texts["hpc-job-mapping-dir"]) if flags.texts["hpc-job-mapping-dir"] else None
        self._dashes = flags.switches["replace-blanks-in-model-name"]
        engine = flags.texts["remote-hostengine-info"]
        own = engine.rpartition(":")[0] if engine else os.environ.get("NODE_NAME") or socket.gethostname()
        version = os.environ.get("STANDIN_VERSION", "4.5.3-4.8.2").split("-")[1]
        is_old = tuple(map(int, version.split("."))) <= LAST_WITH_CAPITAL_HOSTNAME
        self._hostname = {} if flags.switches["no-hostname"] else {"Hostname" if is_old else "hostname": own}
        self._constant = {
            counter.name: dcgm_gpus.driver_version() if counter.name == "DCGM_FI_DRIVER_VERSION" else "N/A"
            for counter in counters
            if counter.is_label
        }

    def text(self) -> str:
        """Every family, measured when the last interval began."""
        second = time.time() // self._interval * self._interval
        lines: list[str] = []
        for counter in self._counters:
            rows = [row for gpu in self._gpus for row in self._rows(counter, gpu, second)]
            if rows and not counter.is_label:
                lines += [f"# HELP {counter.name} {counter.help}", f"# TYPE {counter.name} {counter.kind}", *rows]
        return "\n".join(lines) + "\n"

    def _rows(self, counter: Counter, gpu: Gpu, second: float) -> list[str]:
        if counter.name in dcgm_counters.EXPORTER_FIELDS:
            return []
        own = {
            "gpu": str(gpu.index),
            "UUID": gpu.uuid,
            "pci_bus_id": gpu.bus,
            "device": f"nvidia{gpu.index}",
            "modelName": gpu.model.replace(" ", "-") if self._dashes else gpu.model,
            **self._hostname,
            **dict(sorted(self._constant.items())),
            **(NO_ERROR if counter.name == "DCGM_FI_DEV_XID_ERRORS" else {}),
        }
        value = dcgm_gpus.measured(counter.name, gpu, second)
        jobs = self._jobs_of(gpu)
        every = [{**own, "hpc_job": job} for job in jobs] or [own]
        return [f"{counter.name}{{{_written(labels)}}} {value}" for labels in every]

    def _jobs_of(self, gpu: Gpu) -> list[str]:
        if self._jobs is None or not self._jobs.exists():
            return []
        files = [file for file in self._jobs.iterdir() if file.is_file() and JOB_FILE.match(file.name)]
        # The real one reads all of them and answers 500 when one cannot be read.
        texts = {file.name: file.read_text() for file in files}
        return texts.get(str(gpu.index), "").splitlines()


def _written(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items())
