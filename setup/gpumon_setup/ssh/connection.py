"""One SSH transport to one machine, kept for the whole run: each command is a channel of it."""

from __future__ import annotations

import select
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import paramiko

from gpumon.text import shown
from gpumon_setup.failures import ConnectionBroke, HostSilent
from gpumon_setup.host import Chunk, Pieces
from gpumon_setup.ssh.dialing import Dialer
from gpumon_setup.ssh.endpoint import Endpoint

_CHANNEL_SECONDS = 30.0
_READ = 65_536


class SshConnection:
    """Commands on a machine that SSH leads to."""

    def __init__(self, endpoint: Endpoint, dialer: Dialer) -> None:
        self.name = endpoint.name
        """The machine's name in the inventory."""
        self.user = endpoint.user
        """Who one is there."""
        self._transport = dialer.transport(endpoint)

    def open(self, command: str) -> SshProcess:
        """Starts a command by the user's login shell."""
        try:
            channel = self._transport.open_session(timeout=_CHANNEL_SECONDS)
            channel.settimeout(_CHANNEL_SECONDS)
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._broke(error) from None
        return SshProcess(self.name, channel)

    def send_file(self, source: Pieces, target: str, sent: Callable[[int, int], None]) -> None:
        """Copies a file over SFTP, and compares its size with what has arrived."""
        try:
            with source.opened() as stream, paramiko.SFTPClient.from_transport(self._transport) as sftp:  # type: ignore[union-attr]  # only without an open channel it is None, and then it raises
                sftp.putfo(stream, target, source.size, callback=sent)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise ConnectionBroke(
                self.name,
                f"{shown(source.name, 100)} could not be sent over SFTP: {shown(str(error), 200) or 'it broke off'}.",
            ) from None

    def fetch_file(self, source: str, target: Path) -> None:
        """Copies a file over SFTP, and compares its size with what has arrived."""
        with target.open("wb") as stream:
            try:
                with paramiko.SFTPClient.from_transport(self._transport) as sftp:  # type: ignore[union-attr]  # as above
                    is_whole = sftp.stat(source).st_size == sftp.getfo(source, stream)
            except (paramiko.SSHException, EOFError, OSError) as error:
                if isinstance(error, OSError) and self._transport.is_active():  # the disk here is full
                    raise
                raise self._broke(error) from None
        if not is_whole:
            raise ConnectionBroke(self.name, f"{shown(source, 100)} did not arrive whole.")

    def close(self) -> None:
        """Hangs up."""
        self._transport.close()

    def _broke(self, error: Exception) -> ConnectionBroke:
        return ConnectionBroke(self.name, f"the connection broke: {shown(str(error), 200) or 'it hung up'}.")


class SshProcess:
    """A command on a machine that SSH leads to."""

    def __init__(self, host: str, channel: paramiko.Channel) -> None:
        self._host = host
        self._channel = channel
        self._ready = select.poll()
        self._ready.register(channel.fileno(), select.POLLIN)

    def send(self, data: bytes) -> None:
        """Writes to its standard input."""
        try:
            self._channel.sendall(data)
        except OSError as error:
            raise ConnectionBroke(
                self._host, f"a shell ended before it heard its script ({shown(str(error), 100)})."
            ) from None

    def end_input(self) -> None:
        """Says that nothing more will be sent."""
        try:
            self._channel.shutdown_write()
        except OSError as error:
            raise ConnectionBroke(self._host, f"the connection broke: {shown(str(error), 200)}.") from None

    def receive(self, seconds: float) -> Chunk | None:
        """What it wrote next."""
        deadline = monotonic() + seconds
        while True:
            has_ended = self._channel.eof_received or self._channel.closed
            if self._channel.recv_ready():
                return Chunk("out", self._channel.recv(_READ))
            if self._channel.recv_stderr_ready():
                return Chunk("err", self._channel.recv_stderr(_READ))
            if has_ended:
                return None
            if not self._ready.poll(max(0.0, deadline - monotonic()) * 1000) and monotonic() >= deadline:
                raise TimeoutError

    def exit_code(self) -> int:
        """How it ended."""
        if not self._channel.status_event.wait(_CHANNEL_SECONDS):
            raise HostSilent(self._host, "a command's end was not told.")
        code = self._channel.recv_exit_status()
        if code < 0:
            raise ConnectionBroke(
                self._host,
                "the connection broke while a command ran; what it did is not known.",
                advice="Run it again.",
            )
        return code

    def close(self) -> None:
        """Lets go of it; what runs there ends when it next says something."""
        self._channel.close()
