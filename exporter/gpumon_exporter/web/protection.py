"""The protection in force: the web configuration and its certificates, read anew when a file changes."""

from __future__ import annotations

import logging
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

from gpumon_exporter.failures import Failure
from gpumon_exporter.log import Troubles
from gpumon_exporter.web.config import Tls, WebConfig, read_web_config
from gpumon_exporter.web.passwords import Bcrypt, Logins

_log = logging.getLogger(__name__)

Looks = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class InForce:
    """What protects a connection."""

    config: WebConfig
    context: ssl.SSLContext | None
    """None for plain HTTP."""
    looks: Looks
    """What the files looked like before they were read."""


class Protection:
    """What a web configuration asks for; when a change cannot be read, the last good one stays in force."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._logins: Logins | None = None
        self._troubles = Troubles()
        self._in_force = self._read(path) if path else InForce(WebConfig(), None, ())

    def context(self) -> ssl.SSLContext | None:
        """How a new connection is encrypted; None for plain HTTP."""
        return self._now().context

    def admits(self, name: str, password: str) -> bool:
        """Whether this login may see the metrics."""
        users = self._now().config.users
        return users is None or (self._logins is not None and self._logins.are_right(users, name, password))

    @property
    def asks_for_a_login(self) -> bool:
        """Whether anybody must say who they are."""
        return self._now().config.users is not None

    def _now(self) -> InForce:
        """What is in force now."""
        if self._path is None:
            return self._in_force
        with self._lock:
            if self._looks(self._path, self._in_force.config.tls) != self._in_force.looks:
                self._reread(self._path)
            return self._in_force

    def _reread(self, path: Path) -> None:
        """Reads a changed configuration; a broken one is tried again at the next connection."""
        try:
            self._in_force = self._read(path)
        except Failure as failure:
            self._troubles.note("web configuration", f"{failure}; the last good one stays in force")
        else:
            self._troubles.note("web configuration", "")
            _log.info("the web configuration was read anew")

    def _read(self, path: Path) -> InForce:
        """The configuration and its certificates as they are on the disk."""
        before = _look(path)
        config = read_web_config(path)
        looks = (before, *self._looks(path, config.tls)[1:])
        if config.users is not None and self._logins is None:
            self._logins = Logins(Bcrypt())
        return InForce(config, _context(config.tls) if config.tls else None, looks)

    @staticmethod
    def _looks(path: Path, tls: Tls | None) -> Looks:
        """What the files look like from outside; it changes when one of them does."""
        return tuple(_look(file) for file in (path, *(tls.files if tls else ())))


def _context(tls: Tls) -> ssl.SSLContext:
    """TLS of a server with these certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = tls.oldest, tls.newest
    context.verify_mode = tls.client_certificates
    try:
        context.load_cert_chain(tls.cert_file, tls.key_file, password=_no_password)
        if tls.client_ca_file:
            context.load_verify_locations(tls.client_ca_file)
    except (OSError, ValueError) as error:
        files = ", ".join(str(file) for file in tls.files)
        raise Failure(f"cannot use the certificates {files}: {error}") from error
    return context


def _no_password() -> str:
    """Refuses instead of asking the terminal."""
    raise ValueError("the key is protected by a password, which nobody could type here")


def _look(file: Path) -> tuple[int, ...]:
    try:
        status = file.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
