"""Who is at work, as those are told who find a machine or a cluster taken."""

from __future__ import annotations

import getpass
import socket
from datetime import datetime


def sender() -> str:
    """User, machine, and the time now."""
    return f"{getpass.getuser()} on {socket.gethostname()}, since {datetime.now().astimezone():%Y-%m-%d %H:%M:%S %Z}"
