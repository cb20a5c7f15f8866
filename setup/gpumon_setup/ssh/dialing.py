"""From an endpoint to an open, checked transport: TCP or a jump host, few handshakes at once, the host's key first."""

from __future__ import annotations

import logging
import socket
import subprocess
import time
from contextlib import suppress
from threading import BoundedSemaphore, Lock, Thread

import paramiko

from gpumon.text import shown
from gpumon_setup.failures import HostError, Unreachable
from gpumon_setup.host import Passwords
from gpumon_setup.ssh.endpoint import Endpoint
from gpumon_setup.ssh.keys import Keys
from gpumon_setup.ssh.known_hosts import HostKey, KnownHosts
from gpumon_setup.ssh.login import log_in

HANDSHAKES_AT_ONCE = 8
"""sshd drops connections at random when more than 10 wait to log in (MaxStartups), a jump host's too."""
KEEPALIVE_SECONDS = 10
_DEAD_MILLISECONDS = 30_000
"""A cut cable shows after this long without an answer."""
_HANDSHAKE_SECONDS = 30.0
_PAUSES = (0.2, 0.5, 1.0)
"""Seconds between tries at a host that hangs up before it says anything."""
_LOGIN_SECONDS = 90.0
_SILENT = logging.getLogger("paramiko")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False  # what matters of its log is in our errors


class Dialer:
    """Opens transports; those to jump hosts are shared by all that go through them."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._keys = Keys(passwords)
        self._handshakes = BoundedSemaphore(HANDSHAKES_AT_ONCE)
        self._jumps: dict[Endpoint, paramiko.Transport | HostError] = {}
        self._dialing_jumps: dict[Endpoint, Lock] = {}
        self._lock = Lock()

    def transport(self, endpoint: Endpoint) -> paramiko.Transport:
        """An open transport, whose host was checked and which has let us in.

        Raises:
            HostError: there is none to be had.
        """
        way = self._way(endpoint)
        with self._handshakes:
            transport = self._greeted(endpoint, way)
            try:
                key = transport.get_remote_server_key()
                KnownHosts(endpoint.known_hosts).check(
                    endpoint.name, endpoint.known_as, HostKey(key.get_name(), key.asbytes())
                )
                log_in(transport, endpoint, self._keys, self._passwords)
            except BaseException:  # Ctrl-C at a question too: nobody else can close the transport; it goes on
                transport.close()
                raise
        transport.set_keepalive(KEEPALIVE_SECONDS)
        return transport

    def key_of(self, endpoint: Endpoint) -> HostKey:
        """The key that a host shows, believed by nobody yet; jump hosts on the way must be known."""
        way = self._way(endpoint)
        with self._handshakes:
            transport = self._greeted(endpoint, way)
            try:
                key = transport.get_remote_server_key()
            finally:
                transport.close()
        return HostKey(key.get_name(), key.asbytes())

    def close(self) -> None:
        """Hangs up at all jump hosts."""
        with self._lock:
            for transport in self._jumps.values():
                if isinstance(transport, paramiko.Transport):
                    transport.close()
            self._jumps.clear()

    def _way(self, endpoint: Endpoint) -> paramiko.Transport | None:
        """The transport of the jump host, dialled once whoever needs it; None when there is none."""
        jump = endpoint.jump
        if jump is None:
            return None
        with self._lock:
            dialing = self._dialing_jumps.setdefault(jump, Lock())
        with dialing:
            known = self._jumps.get(jump)
            if known is None or (isinstance(known, paramiko.Transport) and not known.is_active()):
                try:
                    known = self.transport(jump)
                except HostError as error:
                    known = error
                self._jumps[jump] = known
        if isinstance(known, HostError):
            raise type(known)(endpoint.name, f"its jump host {known}")
        return known

    def _greeted(self, endpoint: Endpoint, way: paramiko.Transport | None) -> paramiko.Transport:
        """A transport whose host has shown its key. One that hangs up at once may just be busy: it is dialled again."""
        pauses = list(_PAUSES)
        while True:
            try:
                return _shaken(endpoint, way)
            except _HungUp:  # noqa: PERF203  # beside a handshake it costs nothing
                if not pauses:
                    raise
                time.sleep(pauses.pop(0))


class _HungUp(Unreachable):
    """It hung up before it said anything, as an sshd does that has too many logins at once."""


def _shaken(endpoint: Endpoint, way: paramiko.Transport | None) -> paramiko.Transport:
    stream = _stream(endpoint, way)
    transport = None
    try:
        transport = paramiko.Transport(stream)
        transport.banner_timeout = transport.auth_timeout = _LOGIN_SECONDS
        _prefer_known(transport, endpoint)
        transport.start_client(timeout=_HANDSHAKE_SECONDS)
    except (paramiko.SSHException, EOFError, OSError) as error:
        has_spoken = transport is not None and bool(transport.remote_version)
        if transport is not None:
            transport.close()
        stream.close()
        said = shown(str(error).rstrip("."), 200) or "it hung up"
        raise (Unreachable if has_spoken else _HungUp)(
            endpoint.name,
            f"what answers at {endpoint.host} port {endpoint.port} does not speak SSH with us: {said}.",
        ) from None
    return transport


def _stream(endpoint: Endpoint, way: paramiko.Transport | None) -> socket.socket | paramiko.Channel:
    """The bytes that SSH runs over."""
    if way is not None:
        try:
            return way.open_channel(
                "direct-tcpip", (endpoint.host, endpoint.port), ("127.0.0.1", 0), timeout=endpoint.connect_seconds
            )
        except (paramiko.SSHException, EOFError, OSError) as error:
            jump = endpoint.jump.name if endpoint.jump is not None else ""
            raise Unreachable(
                endpoint.name,
                f"the jump host {jump} cannot reach {endpoint.host} port {endpoint.port}: {shown(str(error), 200)}.",
            ) from None
    if endpoint.proxy_command:
        return _program(endpoint.proxy_command)
    return _dialled(endpoint)


def _program(command: str) -> socket.socket:
    """A program's input and output as one socket; closing it ends the program."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603  # running what the user's own configuration names is the point
            ("/bin/sh", "-c", f"exec {command}"), stdin=theirs.fileno(), stdout=theirs.fileno(), start_new_session=True
        )
    Thread(target=process.wait, daemon=True).start()  # or it would stay as a zombie
    return ours


def _dialled(endpoint: Endpoint) -> socket.socket:
    """A TCP connection whose small packets leave at once: held back, each command would take 40 ms longer."""
    where = f"{endpoint.host} port {endpoint.port}"
    try:
        stream = socket.create_connection((endpoint.host, endpoint.port), endpoint.connect_seconds)
    except socket.gaierror:
        raise Unreachable(
            endpoint.name,
            f"the name {shown(endpoint.host, 200)} does not resolve.",
            advice=f"Give its address in [setup.machines.{endpoint.name}], or HostName in ~/.ssh/config.",
        ) from None
    except TimeoutError:
        raise Unreachable(
            endpoint.name, f"{where} did not answer within {endpoint.connect_seconds:g} s.", advice="Is it up?"
        ) from None
    except ConnectionRefusedError:
        raise Unreachable(endpoint.name, f"nobody listens at {where}.", advice="Does sshd run there?") from None
    except OSError as error:
        raise Unreachable(endpoint.name, f"{where} cannot be reached: {error.strerror or error}.") from None
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(AttributeError, OSError):  # Linux alone has it
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_MILLISECONDS)
    return stream


def _prefer_known(transport: paramiko.Transport, endpoint: Endpoint) -> None:
    """Asks the host for a key of a kind that is on record, as ssh does."""
    known = KnownHosts(endpoint.known_hosts).algorithms(endpoint.known_as)
    options = transport.get_security_options()
    offered = list(options.key_types)
    wanted = [name for name in offered if ("ssh-rsa" if name.startswith("rsa-sha2") else name) in known]
    if wanted:
        options.key_types = [*wanted, *(name for name in offered if name not in wanted)]
