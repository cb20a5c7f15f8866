"""The user's private keys: those of the agent, and those in files, each opened once for all machines."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock

import paramiko

from gpumon.text import shown
from gpumon_setup.failures import SetupError
from gpumon_setup.host import Passwords
from gpumon_setup.ssh.endpoint import Endpoint


class Keys:
    """Private keys as they are asked for; safe to share between threads."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._opened: dict[Path, paramiko.PKey | None] = {}
        self._locked: set[Path] = set()
        self._lock = Lock()

    def without_asking(self, endpoint: Endpoint, agent: paramiko.Agent | None) -> Iterator[paramiko.PKey]:
        """Keys that need no passphrase: those of the agent that are named, its others, then files."""
        named = [blob for file in endpoint.identity_files if (blob := _public_blob(file)) is not None]
        held = list(agent.get_keys()) if agent is not None else []
        yield from (key for key in held if key.asbytes() in named)
        if not endpoint.only_these_identities:
            yield from (key for key in held if key.asbytes() not in named)
        offered = {key.asbytes() for key in held}
        for file in endpoint.identity_files:
            key = self._open(file)
            if key is not None and key.asbytes() not in offered:
                yield key

    def with_asking(self, endpoint: Endpoint) -> Iterator[paramiko.PKey]:
        """Keys whose passphrase a person is asked for."""
        for file in endpoint.identity_files:
            with self._lock:
                is_locked = file in self._locked
            if is_locked:
                yield self._unlock(file)

    def called(self, key: paramiko.PKey) -> str:
        """Which key it is, for people: its file, or its name in the agent."""
        if isinstance(key, paramiko.AgentKey):
            return f"{key.comment or key.get_name()} of the agent"
        with self._lock:
            return next((str(file) for file, opened in self._opened.items() if opened is key), key.get_name())

    def _open(self, file: Path) -> paramiko.PKey | None:
        """The key in a file; None when there is none, or when it needs a passphrase."""
        with self._lock:
            if file not in self._opened:
                self._opened[file] = None
                try:
                    self._opened[file] = _load(file, None)
                except paramiko.PasswordRequiredException:
                    self._locked.add(file)
            return self._opened[file]

    def _unlock(self, file: Path) -> paramiko.PKey:
        with self._lock:
            key = self._opened[file]
            if key is None:
                key = self._opened[file] = _load(file, self._passwords.passphrase(str(file)).reveal())
            if key is None:
                raise SetupError(
                    f"The passphrase does not open {shown(str(file), 300)}.",
                    advice="Try again, or load the key into ssh-agent.",
                )
            return key


def _load(file: Path, passphrase: str | None) -> paramiko.PKey | None:
    """The key in a file, with the certificate beside it; None for no file, no key, or another passphrase.

    Raises:
        paramiko.PasswordRequiredException: it needs a passphrase, and none was given.
    """
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key = kind.from_private_key_file(str(file), passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except OSError:
            return None
        except (paramiko.SSHException, ValueError, IndexError):  # a key of another kind, or what is no key
            continue
        certificate = file.with_name(f"{file.name}-cert.pub")
        if certificate.exists():
            with suppress(paramiko.SSHException, ValueError):
                key.load_certificate(str(certificate))
        return key
    return None


def _public_blob(file: Path) -> bytes | None:
    """The public half of a key, which stands beside it unlocked."""
    try:
        words = file.with_name(f"{file.name}.pub").read_text("utf-8", "replace").split()
        return base64.b64decode(words[1])
    except (OSError, IndexError, binascii.Error):
        return None
