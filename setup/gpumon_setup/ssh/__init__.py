"""The way to a machine over SSH, as ssh itself would find it; the only place that knows paramiko."""

import gpumon_setup.ssh.alone  # noqa: F401  # pyright: ignore[reportUnusedImport]  # it acts before paramiko is loaded
from gpumon_setup.ssh.config import SshConfig
from gpumon_setup.ssh.connection import SshConnection
from gpumon_setup.ssh.dialing import HANDSHAKES_AT_ONCE, Dialer
from gpumon_setup.ssh.endpoint import Endpoint, endpoint
from gpumon_setup.ssh.known_hosts import HostKey, KnownHosts, record

__all__ = [
    "HANDSHAKES_AT_ONCE",
    "Dialer",
    "Endpoint",
    "HostKey",
    "KnownHosts",
    "SshConfig",
    "SshConnection",
    "endpoint",
    "record",
]
