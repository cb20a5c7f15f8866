"""From a machine of the inventory to a Host: this very machine without SSH, all others over it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gpumon_setup.components.absent import is_address
from gpumon_setup.failures import Unreachable
from gpumon_setup.fleet.fleet import Fleet
from gpumon_setup.host import Connection, Host, LocalConnection, Passwords, ShellHost
from gpumon_setup.inventory import Inventory, Machine

if TYPE_CHECKING:
    from gpumon_setup.ssh import Endpoint, SshConfig


@contextmanager
def reached(inventory: Inventory, passwords: Passwords) -> Generator[Fleet]:
    """The machines of an inventory, for as long as the work takes."""
    ssh = _Ssh(passwords) if any(not machine.is_local for machine in inventory.machines) else None

    def reach(machine: Machine) -> Host:
        way = LocalConnection(machine.name) if machine.is_local or ssh is None else ssh.connection(machine)
        return ShellHost(way, passwords)

    def dialled(machine: Machine) -> str:
        return "" if machine.is_local or ssh is None else ssh.dialled(machine)

    fleet = Fleet(inventory.machines, reach, passwords.cancel, dialled)
    try:
        yield fleet
    finally:
        fleet.close()
        if ssh is not None:
            ssh.close()


class _Ssh:
    """The ways over SSH, whose libraries are loaded only where there is a machine they lead to."""

    def __init__(self, passwords: Passwords) -> None:
        from gpumon_setup.ssh import Dialer, SshConfig

        self._config = SshConfig.of_this_user()
        self._dialer = Dialer(passwords)

    def connection(self, machine: Machine) -> Connection:
        """A machine; raises HostError."""
        from gpumon_setup.ssh import SshConnection

        return SshConnection(endpoint_of(machine, self._config), self._dialer)

    def dialled(self, machine: Machine) -> str:
        """The address at which a machine is looked for; "" for a name, and for what makes no sense."""
        try:
            host = endpoint_of(machine, self._config).host
        except Unreachable:
            return ""
        return host if is_address(host) else ""

    def close(self) -> None:
        """Hangs up at jump hosts."""
        self._dialer.close()


def endpoint_of(machine: Machine, config: SshConfig) -> Endpoint:
    """Where SSH finds a machine; raises Unreachable when the configuration makes no sense."""
    from gpumon_setup.ssh import endpoint

    return endpoint(
        config, machine.name, address=machine.address, user=machine.user, port=machine.port, jump=machine.jump
    )
