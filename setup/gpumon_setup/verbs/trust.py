"""`gpumon setup trust`: shows the keys that machines show, and records them after a yes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from gpumon_setup.failures import HostError
from gpumon_setup.fleet import endpoint_of
from gpumon_setup.host import Passwords
from gpumon_setup.inventory import Machine
from gpumon_setup.ssh import HANDSHAKES_AT_ONCE, Dialer, Endpoint, HostKey, KnownHosts, SshConfig, record
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import chosen_machines, inventory_of
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.talk import is_agreed, narrate, put


def run(options: SetupOptions) -> int:
    """Asks about every key that is not on record; a changed one is never recorded over the old.

    Behind a jump host whose key is new nothing can be seen, so there may be several rounds.
    """
    inventory = inventory_of(options)
    limit = chosen_machines(inventory, options.limit_to)
    machines = [machine for machine in inventory.machines if not machine.is_local]
    config, recorded = SshConfig.of_this_user(), 0
    while True:
        with closing(Dialer(Passwords())) as dialer:
            seen = _look(dialer, config, [machine for machine in machines if not limit or machine.name in limit])
        if not seen.unknown:
            break
        put(f"{where.name} ({where.known_as})  {key.algorithm}  {key.fingerprint}" for where, key in seen.unknown)
        narrate("Compare them on the machines themselves: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        if not options.yes and not is_agreed("Are these the keys of these machines?"):
            narrate("Nothing was recorded.")
            return SetupCode.INCOMPLETE
        for where, key in seen.unknown:
            record(where.known_hosts[0], where.known_as, key)
            recorded += 1
    for error in seen.failures:
        narrate(str(error))
    narrate(f"{recorded} keys recorded." if recorded else "No new keys.")
    return SetupCode.INCOMPLETE if seen.failures else SetupCode.OK


@dataclass(frozen=True)
class _Seen:
    """What one look at all machines showed."""

    unknown: list[tuple[Endpoint, HostKey]] = field(default_factory=list[tuple[Endpoint, HostKey]])
    failures: list[HostError] = field(default_factory=list[HostError])


def _look(dialer: Dialer, config: SshConfig, machines: list[Machine]) -> _Seen:
    seen = _Seen()

    def key_of(machine: Machine) -> tuple[Endpoint, HostKey] | HostError | None:
        return _key_of(dialer, config, machine)

    with ThreadPoolExecutor(HANDSHAKES_AT_ONCE) as pool:
        for found in pool.map(key_of, machines):
            if isinstance(found, HostError):
                seen.failures.append(found)
            elif found is not None and found not in seen.unknown:
                seen.unknown.append(found)
    return seen


def _key_of(dialer: Dialer, config: SshConfig, machine: Machine) -> tuple[Endpoint, HostKey] | HostError | None:
    """The first key on the way to a machine that is not on record; None when all are."""
    try:
        for where in hops(endpoint_of(machine, config)):
            key = dialer.key_of(where)
            if not KnownHosts(where.known_hosts).has(where.name, where.known_as, key):
                return where, key
    except HostError as error:
        return error
    return None


def hops(where: Endpoint) -> list[Endpoint]:
    """The way to a machine, the first jump host first."""
    return [where] if where.jump is None else [*hops(where.jump), where]
