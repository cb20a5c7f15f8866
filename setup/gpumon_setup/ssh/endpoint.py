"""Where a machine is reached, and as whom: what the inventory says over what OpenSSH's configuration says."""

from __future__ import annotations

import getpass
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gpumon.text import shown
from gpumon_setup.failures import Unreachable
from gpumon_setup.ssh.config import SshConfig, Told, expanded
from gpumon_setup.ssh.known_hosts import name_of

CONNECT_SECONDS = 15.0
"""To wait for a TCP connection, unless the configuration says otherwise."""
_MOST_JUMPS = 8
_DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One machine, as SSH reaches it."""

    name: str
    """What people call it."""
    host: str
    """What is dialled: a name or an address."""
    port: int
    user: str
    jump: Endpoint | None
    """The machine through which it is dialled; None when directly."""
    proxy_command: str
    """A program whose input and output are the connection; "" for none."""
    identity_files: tuple[Path, ...]
    """Private keys, in the order in which they are tried."""
    only_these_identities: bool
    """True when the agent may not offer others."""
    uses_agent: bool
    known_as: str
    """Its name in known_hosts files."""
    known_hosts: tuple[Path, ...]
    """The user's files first; the very first is where new keys are recorded."""
    connect_seconds: float


def endpoint(
    config: SshConfig, name: str, *, address: str = "", user: str = "", port: int = 0, jump: str = ""
) -> Endpoint:
    """How a machine is reached. What is given holds over the configuration; `jump` is as ssh's ProxyJump.

    Raises:
        Unreachable: the jump hosts cannot be understood, or lead in a circle.
    """
    return _endpoint(config, name, address, user, port, jump, depth=0)


def _endpoint(config: SshConfig, name: str, address: str, user: str, port: int, jump: str, depth: int) -> Endpoint:
    if depth > _MOST_JUMPS:
        raise Unreachable(name, "its jump hosts lead in a circle, or there are more than 8.")
    told = config.lookup(address or name, user)
    host = told.host()
    chosen_user = user or told.first("user", getpass.getuser())
    chosen_port = port or _port(name, told.first("port", "22"))
    tokens = {"h": host, "p": str(chosen_port), "r": chosen_user, "n": told.original, "u": getpass.getuser(),
              "d": str(Path.home())}  # fmt: skip
    jumps = jump or expanded(told.first("proxyjump", "none"), tokens)
    proxy = "" if jump else told.first("proxycommand", "none")
    files = [Path(expanded(file, tokens)) for file in told.values.get("identityfile", _DEFAULT_KEYS)]
    alias = told.first("hostkeyalias")
    return Endpoint(
        name=name,
        host=host,
        port=chosen_port,
        user=chosen_user,
        jump=_jumps(config, name, jumps, depth),
        proxy_command="" if proxy.lower() == "none" else expanded(proxy, tokens),
        identity_files=tuple(files),
        only_these_identities=told.first("identitiesonly", "no").lower() == "yes",
        uses_agent=told.first("identityagent").lower() != "none",
        known_as=alias.lower() if alias else name_of(host, chosen_port),
        known_hosts=tuple(_known_hosts(told, tokens)),
        connect_seconds=_seconds(told.first("connecttimeout", "")),
    )


def _jumps(config: SshConfig, name: str, jumps: str, depth: int) -> Endpoint | None:
    """The last of "a,b,c", each but the first reached through the one before; the first as its own entry says."""
    if jumps.lower() in ("none", ""):
        return None
    way: Endpoint | None = None
    for position, hop in enumerate(jumps.split(",")):
        user, _, place = hop.strip().removeprefix("ssh://").rpartition("@")
        host, port = _parted(name, place)
        reached = _endpoint(config, host, "", user, port, "none" if position else "", depth + 1)
        way = reached if way is None else replace(reached, jump=way, proxy_command="")
    return way


def _parted(name: str, place: str) -> tuple[str, int]:
    """Host and port of "host", "host:22", "[2001:db8::1]:22"; 0 for no port."""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    else:
        host, port = place, ""
    if not host:
        raise Unreachable(name, f'its jump host "{shown(place, 80)}" is none.', advice="Expected user@host:port.")
    return host, _port(name, port) if port else 0


def _port(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise Unreachable(name, f'its port "{shown(text, 40)}" is none.', advice="Expected a number from 1 to 65535.")
    return int(text)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and int(text) else CONNECT_SECONDS


def _known_hosts(told: Told, tokens: dict[str, str]) -> Iterator[Path]:
    for keyword, default in (("userknownhostsfile", _KNOWN_HOSTS), ("globalknownhostsfile", _SYSTEM_KNOWN_HOSTS)):
        for file in shlex.split(told.first(keyword, default)):
            if file.lower() not in ("none", "/dev/null"):
                yield Path(expanded(file, tokens))
