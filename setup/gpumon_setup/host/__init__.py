"""A machine that is worked on: what can be asked of it and done to it, whichever way leads there."""

from gpumon_setup.host.actions import (
    Action,
    MakeDirectory,
    RemoveDirectory,
    RemoveFile,
    RunCommand,
    SendFile,
    Step,
    WriteFile,
    digest_of,
)
from gpumon_setup.host.local import LocalConnection
from gpumon_setup.host.passwords import Passwords
from gpumon_setup.host.pieces import Pieces, Stretch
from gpumon_setup.host.process import Chunk, Connection, Process
from gpumon_setup.host.protocol import Held, Host, Outcome
from gpumon_setup.host.shell import ShellHost

__all__ = [
    "Action",
    "Chunk",
    "Connection",
    "Held",
    "Host",
    "LocalConnection",
    "MakeDirectory",
    "Outcome",
    "Passwords",
    "Pieces",
    "Process",
    "RemoveDirectory",
    "RemoveFile",
    "RunCommand",
    "SendFile",
    "ShellHost",
    "Step",
    "Stretch",
    "WriteFile",
    "digest_of",
]
