"""Slurm's GPUs of this node in the order of its own numbers, from `slurmd -G`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from gpumon_exporter.failures import Failure
from gpumon_exporter.log import one_line
from gpumon_exporter.slurm.hostlist import expand

_RECORD = re.compile(r"\bGres Name=(.*)")
_CARD = re.compile(r"/nvidia[0-9]+$")
_PATIENCE_SECONDS = 90.0
"""slurmd waits up to a minute for device files that are not there yet."""


@dataclass(frozen=True)
class GresGpu:
    """One GPU, or one MIG slice, as gres.conf or AutoDetect gave it to Slurm."""

    type: str
    """Empty when it has none."""
    files: tuple[str, ...]
    """Its device files: one of a card; of a MIG slice the card's, then those of its capabilities."""


def told_by_slurmd(slurmd: str, node: str, configuration: str) -> str:
    """What `slurmd -G` says, which is on either of its outputs, by version.

    Args:
        slurmd: the program.
        node: Slurm's name of the node; empty to let slurmd find it.
        configuration: slurm.conf; empty for the usual one.

    Raises:
        Failure: it cannot be run, or it fails.
    """
    command = [slurmd, "-G", *(["-N", node] if node else []), *(["-f", configuration] if configuration else [])]
    try:
        done = subprocess.run(  # noqa: S603  # a list, which no shell reads
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_PATIENCE_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise Failure(f"{slurmd} is not there: run this on a compute node, or name it with --slurmd") from error
    except OSError as error:
        raise Failure(f"{slurmd} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{slurmd} -G did not end within {_PATIENCE_SECONDS:g} s") from error
    told = done.stdout.decode(errors="replace")
    if done.returncode:
        raise Failure(f"slurmd -G failed: {_last_line(told) or f'exit code {done.returncode}'}")
    return told


def gpus(told: str) -> tuple[GresGpu, ...]:
    """The GPUs in Slurm's order: `gpu:h100:2(IDX:4-5)` means the fifth and the sixth of them.

    A line is one device file, or a hostlist of as many as it counts; slurmd writes those of a MIG slice
    (`MultipleFiles`) one after the other, the card's first. The line's own `Index=` is made of the digits of the file's
    name and not Slurm's number.
    Source: print_gres_conf in Slurm's src/interfaces/gres.c, and `slurmd -G` of 22.05 and 26.05.

    Raises:
        Failure: a line cannot be understood as device files.
    """
    found: list[GresGpu] = []
    for line in told.splitlines():
        record = _RECORD.search(line)
        if record is None:
            continue
        fields = _fields(record[1])
        if fields["Name"] == "gpu":
            for file in _files(fields, line):
                _add(found, file, fields.get("Type", ""))
    return tuple(found)


def _files(fields: dict[str, str], line: str) -> tuple[str, ...]:
    """The device files of one line, in Slurm's order."""
    try:
        files = expand(fields.get("File", ""))
    except ValueError:
        files = ()
    if str(len(files)) != fields.get("Count") or not all(file.startswith("/") for file in files):
        raise Failure(f"slurmd -G tells of something that is not one device file for each GPU: {one_line(line)}")
    return files


def _add(found: list[GresGpu], file: str, kind: str) -> None:
    """Takes one device file: a new GPU, or one more file of the slice before."""
    kind = "" if kind == "(null)" else kind
    if _CARD.search(file):
        found.append(GresGpu(kind, (file,)))
    elif found and found[-1].type == kind:
        found[-1] = GresGpu(kind, (*found[-1].files, file))
    else:
        raise Failure(f"slurmd -G tells of {one_line(file)}, which is no card of NVIDIA")


def _fields(text: str) -> dict[str, str]:
    """`key=value` by their keys; the text begins with the name's value."""
    return {key: value for key, _, value in (part.partition("=") for part in ("Name=" + text).split())}


def _last_line(told: str) -> str:
    lines: Sequence[str] = [line for line in told.splitlines() if "fatal" in line or "error" in line]
    return one_line(lines[-1]) if lines else ""
