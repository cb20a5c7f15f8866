"""Runs of `gpumon setup` that a test watches at work, and machines that stand still at a chosen point of it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial

from lab.deploying import AtSeat
from lab.hosts import LabHost
from real.daemons import until

GATE = """#!/bin/sh
if [ ! -e /run/{program}.open ] && {condition}; then
    case "$*" in {pattern}) touch /run/gate.reached; until [ -e /run/{program}.open ]; do sleep 0.1; done ;; esac
fi
PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec {program} "$@"
"""
"""A program that waits, in the place of the real one, so that a test can act in the middle of the work."""


@contextmanager
def gate(host: LabHost, program: str, pattern: str = "*", condition: str = "true") -> Generator[None]:
    """The machine's work stands still where this program is called like this, until the end of this."""
    host.root(f"rm -f /run/{program}.open /run/gate.reached")
    text = GATE.format(program=program, pattern=pattern, condition=condition)
    host.write(f"/usr/local/bin/{program}", text.encode(), 0o755)
    try:
        yield
    finally:
        host.root(f"{let_go(program)}; rm -f /usr/local/bin/{program}")


def let_go(program: str) -> str:
    """What root types for the work to go on."""
    return f"touch /run/{program}.open"


def stand_still(*hosts: LabHost) -> None:
    """Returns once the work stands still on all of them."""
    for host in hosts:
        until(partial(_stands_still, host), f"{host.name} is in the middle")


def _stands_still(host: LabHost) -> bool:
    return host.read("/run/gate.reached") is not None


@contextmanager
def cut_off(*hosts: LabHost) -> Generator[None]:
    """Their network cables are pulled until the end of this."""
    with ExitStack() as healing:
        for host in hosts:
            host.power.cut()
            healing.callback(host.power.heal)
        yield


@contextmanager
def typed(seat: AtSeat, *words: str) -> Generator[subprocess.Popen[str]]:
    """A run that a test watches at work; it is ended at the end."""
    run = subprocess.Popen(
        seat.argv(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield run
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
        run.communicate(timeout=90)
