"""Whether a password fits a bcrypt hash, by the system's own libcrypt: Python brings no bcrypt."""

from __future__ import annotations

import ctypes
import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping

from gpumon_exporter.failures import Failure

LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1")
"""Where `crypt_r` with bcrypt is found: Debian and Ubuntu, Fedora and RHEL, Alpine."""

_SELF_TEST = ("U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
"""A password and its hash, known from bcrypt's own tests."""
_STATE_BYTES = 256 * 1024
"""More than any libcrypt's `struct crypt_data`."""
_REMEMBERED = 100


class Bcrypt:
    """The system's bcrypt. One at a time: who sends many wrong passwords must not take more than one core."""

    def __init__(self, libraries: tuple[str, ...] = LIBRARIES) -> None:
        self._lock = threading.Lock()
        self._state = ctypes.create_string_buffer(_STATE_BYTES)
        for name in libraries:
            try:
                self._crypt = ctypes.CDLL(name).crypt_r
            except (OSError, AttributeError):
                continue
            self._crypt.restype = ctypes.c_char_p
            self._crypt.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p)
            if self.fits(*_SELF_TEST):
                return
        raise Failure(
            "basic_auth_users needs bcrypt, and this system's libcrypt has none; install libxcrypt (libcrypt1), "
            "or let clients show certificates instead"
        )

    def fits(self, password: str, hashed: str) -> bool:
        """Whether `hashed` was made of `password`."""
        if "\0" in password:  # C would compare only what stands before it
            return False
        with self._lock:
            found: bytes | None = self._crypt(password.encode(), hashed.encode(), self._state)
        return found is not None and hmac.compare_digest(found, hashed.encode())


class Logins:
    """Who may come in. A login that succeeded is remembered, so that a scrape does not pay 100 ms each time."""

    def __init__(self, bcrypt: Bcrypt) -> None:
        self._bcrypt = bcrypt
        self._key = secrets.token_bytes(32)
        self._succeeded: dict[bytes, None] = {}

    def are_right(self, users: Mapping[str, str], name: str, password: str) -> bool:
        """Whether `name` is one of `users` (names and hashes, at least one) and `password` is theirs."""
        # A name that nobody has is checked like any other, so that the time does not tell which names exist.
        hashed = users.get(name) or next(iter(users.values()))
        login = self._fingerprint(hashed, password)
        if login in self._succeeded:
            return name in users
        if not self._bcrypt.fits(password, hashed) or name not in users:
            return False
        if len(self._succeeded) >= _REMEMBERED:
            self._succeeded.clear()
        self._succeeded[login] = None
        return True

    def _fingerprint(self, hashed: str, password: str) -> bytes:
        """What is remembered instead of the password; a changed hash makes another one."""
        return hmac.new(self._key, f"{hashed}\0{password}".encode(), hashlib.sha256).digest()
