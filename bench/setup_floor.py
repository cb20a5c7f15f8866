"""The floor: a plain script with paramiko, by which one sh on each machine looks at a file and a unit and fixes them.

Run as: setup_floor.py KEY KNOWN_HOSTS ADDRESS...
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import paramiko

SCRIPT = (Path(__file__).parent / "setup_tasks" / "beacon.sh").read_bytes()


def fix(key: str, known_hosts: str, address: str) -> str:
    """What one machine said."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(known_hosts)
        client.connect(address, username="ops", key_filename=key, allow_agent=False, look_for_keys=False)
        stdin, stdout, stderr = client.exec_command("sudo -n sh -s")
        stdin.write(SCRIPT)
        stdin.channel.shutdown_write()
        said = stdout.read() + stderr.read()
        if stdout.channel.recv_exit_status():
            raise SystemExit(f"{address}: {said.decode()}")
        return f"{address}: {said.decode().strip()}"


def main(key: str, known_hosts: str, *addresses: str) -> int:
    """All machines at once."""
    with ThreadPoolExecutor(len(addresses)) as hands:
        print("\n".join(hands.map(partial(fix, key, known_hosts), addresses)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
