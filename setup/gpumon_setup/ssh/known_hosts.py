"""The known_hosts files: who vouches for which key, whose key is revoked, and which line says so."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from gpumon.text import shown
from gpumon_setup.failures import HostKeyChanged, HostKeyRevoked, HostKeyUnknown, SetupError

_NO_NAME = re.compile(r"[*?!]|^\|1\|")
"""What stands for other names than itself, or hides one."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """A host's public key."""

    algorithm: str
    """For instance "ssh-ed25519"."""
    blob: bytes
    """As it goes over the wire."""

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen -l prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a known_hosts file that could be read."""

    place: str
    """File and number, for people."""
    marker: str
    """"@revoked", "@cert-authority", or "" for a plain key."""
    hosts: tuple[str, ...]
    key: HostKey


@dataclass(frozen=True)
class _List:
    """One file's lines, found by name: a large cluster has thousands, and each of its machines is looked up."""

    lines: tuple[Line, ...]
    by_name: Mapping[str, Sequence[int]]
    """Numbers of lines whose names all stand for themselves."""
    others: Sequence[int]
    """Numbers of lines with patterns or hashes."""

    def maybe_about(self, name: str) -> Iterator[Line]:
        """The lines that may be about a host, in their order."""
        return (self.lines[number] for number in sorted((*self.by_name.get(name, ()), *self.others)))


class KnownHosts:
    """All that the files say; a line that cannot be read is no line, as for ssh."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(files)
        """Those that are looked into, the user's first."""
        self._lists = [_list(file) for file in files]

    def algorithms(self, name: str) -> tuple[str, ...]:
        """Of the keys on record for a host, so that it can be asked for one of them."""
        return tuple(dict.fromkeys(line.key.algorithm for line in self._about(name) if not line.marker))

    def check(self, host: str, name: str, key: HostKey) -> None:
        """Says nothing when somebody vouched for the key.

        `host` is what people call it, `name` what known_hosts files call it: with "[name]:port" for another port.

        Raises:
            HostKeyRevoked: a line says that this key is invalid.
            HostKeyChanged: other keys are on record, but not this one.
            HostKeyUnknown: none is on record.
        """
        about = self._about(name)
        for line in about:
            if line.marker == "@revoked" and line.key == key:
                raise HostKeyRevoked(
                    host,
                    f"its key {key.fingerprint} is revoked by {line.place}.",
                    advice="Give the host a new key (ssh-keygen -A), then `gpumon setup trust`.",
                )
        plain = [line for line in about if not line.marker]
        if any(line.key == key for line in plain):
            return
        if plain:
            raise HostKeyChanged(
                host,
                f"it shows the key {key.fingerprint}, but {plain[0].place} knows {plain[0].key.fingerprint}.",
                advice=f"Somebody may stand between. When it was installed anew: ssh-keygen -R '{shown(name, 200)}', "
                "then `gpumon setup trust`.",
            )
        words = "nobody vouched for its key"
        if any(line.marker == "@cert-authority" for line in about):
            words = "only a certificate authority vouches for it, which gpumon cannot check; its key is"
        raise HostKeyUnknown(
            host, f"{words} {key.fingerprint}.", advice="Look at it and record it: gpumon setup trust."
        )

    def has(self, host: str, name: str, key: HostKey) -> bool:
        """Whether the key is on record; raises as `check` does when it contradicts the record."""
        try:
            self.check(host, name, key)
        except HostKeyUnknown:
            return False
        return True

    def _about(self, name: str) -> list[Line]:
        return [line for told in self._lists for line in told.maybe_about(name) if _is_about(line.hosts, name)]


def name_of(host: str, port: int) -> str:
    """How known_hosts files call a host at a port."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def record(file: Path, name: str, key: HostKey) -> None:
    """Adds a host's key to a file, which is made when there is none.

    Raises:
        SetupError: it cannot be written.
    """
    line = f"{name} {key.algorithm} {base64.b64encode(key.blob).decode()}\n"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("ab+") as stream:
            stream.seek(0)
            content = stream.read()
            is_cut = bool(content) and not content.endswith(b"\n")
            stream.write((b"\n" if is_cut else b"") + line.encode())
    except OSError as error:
        raise SetupError(f"{shown(str(file), 300)} cannot be written ({error.strerror}).") from None


def _list(file: Path) -> _List:
    """A file as it is now; it is read once for as long as nobody writes to it."""
    try:
        status = file.stat()
    except OSError:
        return _List((), {}, ())
    return _read(file, status.st_mtime_ns, status.st_size)


@cache
def _read(file: Path, _written_at: int, _size: int) -> _List:
    lines = tuple(_lines(file))
    by_name: dict[str, list[int]] = {}
    others: list[int] = []
    for number, line in enumerate(lines):
        if any(_NO_NAME.search(host) for host in line.hosts):
            others.append(number)
        else:
            for host in dict.fromkeys(host.lower() for host in line.hosts):
                by_name.setdefault(host, []).append(number)
    return _List(lines, by_name, others)


def _lines(file: Path) -> Iterator[Line]:
    try:
        text = file.read_text("utf-8", "replace")
    except OSError:
        return
    for number, content in enumerate(text.splitlines(), 1):
        words = content.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked", "@cert-authority"):
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        place = f"{shown(str(file), 300)}:{number}"
        yield Line(place, marker, tuple(words[0].split(",")), HostKey(words[1], blob))


def _is_about(patterns: Sequence[str], name: str) -> bool:
    """Whether a line's names mean this one: hashed, with wildcards, or with a "!" that excludes."""
    found = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if fnmatchcase(name, _bracketed(pattern[1:].lower())):
                return False
        elif pattern.startswith("|1|"):
            found = found or _is_hash_of(pattern, name)
        else:
            found = found or fnmatchcase(name, _bracketed(pattern.lower()))
    return found


def _bracketed(pattern: str) -> str:
    """A pattern in which "[" is a sign like any other, as in "[host]:2222"; only * and ? stand for others."""
    return pattern.replace("[", "[[]")


def _is_hash_of(pattern: str, name: str) -> bool:
    try:
        _, _, salt, digest = pattern.split("|")
        known = base64.b64decode(digest)
        return hmac.compare_digest(hmac.digest(base64.b64decode(salt), name.encode(), "sha1"), known)
    except (binascii.Error, ValueError):
        return False
