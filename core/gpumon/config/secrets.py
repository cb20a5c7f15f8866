"""Secrets of the configuration: named as a file, an environment variable or a command, fetched only when needed."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

import msgspec

from gpumon.config.values import Here, Wrong, as_table, has_controls, kind
from gpumon.settings import Secret
from gpumon.text import shown

COMMAND_SECONDS = 10.0
"""How long a command may take to print a secret."""
_MOST_BYTES = 65_536
_FORMS = '{ file = "..." }, { env = "NAME" } or { command = ["pass", "show", "x"] }'


class SecretPlace(Protocol):
    """Where a secret is to be had."""

    @property
    def runs_a_program(self) -> bool:
        """True when fetching it may ask somebody for a passphrase."""
        ...

    def fetch(self, environ: Mapping[str, str]) -> Secret:
        """The secret; raises Wrong when it is not to be had."""
        ...


class InConfig(msgspec.Struct, frozen=True):
    """It stands in the configuration itself, which only headers may do."""

    secret: Secret
    runs_a_program: bool = False

    def fetch(self, environ: Mapping[str, str]) -> Secret:
        """The secret."""
        del environ
        return self.secret


class InFile(msgspec.Struct, frozen=True):
    """It is the one line of a file."""

    path: Path
    runs_a_program: bool = False

    def fetch(self, environ: Mapping[str, str]) -> Secret:
        """The file's line."""
        del environ
        where = f"the file {shown(str(self.path), 300)}"
        try:
            with self.path.open("rb") as stream:
                content = stream.read(_MOST_BYTES + 1)
        except OSError as error:
            raise Wrong(f"{where}, which cannot be read ({error.strerror})", "a file that holds the secret") from None
        if len(content) > _MOST_BYTES:
            raise Wrong(f"{where}, which is longer than any secret", "a file that holds the secret")
        return _secret(content.strip(b"\r\n"), where)


class InEnvironment(msgspec.Struct, frozen=True):
    """It is the value of an environment variable."""

    name: str
    runs_a_program: bool = False

    def fetch(self, environ: Mapping[str, str]) -> Secret:
        """The variable's value."""
        value = environ.get(self.name)
        where = f"the environment variable {shown(self.name, 80)}"
        if value is None:
            raise Wrong(f"{where}, which is not set", "one that holds the secret")
        return _secret(value.encode("utf-8", "surrogateescape"), where)


class FromCommand(msgspec.Struct, frozen=True):
    """It is the first line that a command prints."""

    argv: tuple[str, ...]
    runs_a_program: bool = True

    def fetch(self, environ: Mapping[str, str]) -> Secret:
        """The command's first line; what it prints is never repeated, what it complains of is."""
        import subprocess

        where = f"the command {shown(Path(self.argv[0]).name, 80)}"
        expected = "a command that prints the secret"
        try:
            with subprocess.Popen(  # noqa: S603  # running what the configuration names is the point
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environ),
                start_new_session=True,  # so that whatever it starts can be ended with it
            ) as process:
                try:
                    output, complaint = process.communicate(timeout=COMMAND_SECONDS)
                except subprocess.TimeoutExpired:
                    raise Wrong(f"{where}, which did not end within {COMMAND_SECONDS:g} s", expected) from None
                finally:
                    if process.returncode is None:
                        os.killpg(process.pid, signal.SIGKILL)
        except OSError as error:
            raise Wrong(f"{where}, which cannot be run ({error.strerror})", expected) from None
        if process.returncode != 0:
            said = shown(complaint.decode("utf-8", "replace").strip(), 200)
            raise Wrong(f"{where}, which failed with {process.returncode}{f': {said}' if said else ''}", expected)
        return _secret(output.partition(b"\n")[0].rstrip(b"\r"), where)


def secret_place(value: object, here: Here) -> SecretPlace:
    """Where a secret is; a plain text is refused."""
    if isinstance(value, str):
        raise Wrong("a secret in plain text", f"{_FORMS}, so that this file can be shared")
    return _place(value, here, _FORMS)


def header_value(value: object, here: Here) -> SecretPlace:
    """The value of a header: a text, or where it is."""
    if not isinstance(value, str):
        return _place(value, here, f"a text, {_FORMS}")
    if has_controls(value) or value != value.strip():
        raise Wrong("a text with a line break, or with blanks at an end", "one line")
    return InConfig(Secret(value))


def _place(value: object, here: Here, expected: str) -> SecretPlace:
    table = as_table(value)
    if table is None:
        raise Wrong(kind(value), expected)
    if len(table) != 1 or not set(table) <= {"file", "env", "command"}:
        raise Wrong(f"a table with {_names(table)}", expected)
    ((form, content),) = table.items()
    if form == "command":
        return FromCommand(_argv(content, here))
    if not isinstance(content, str) or not content or "\0" in content or (form == "env" and "=" in content):
        raise Wrong(f"{kind(content)} as its {form}", expected)
    return InFile(here.path(content)) if form == "file" else InEnvironment(content)


def _argv(value: object, here: Here) -> tuple[str, ...]:
    found = kind(value)
    words = cast("list[object]", value) if isinstance(value, list) else []
    argv = [word for word in words if isinstance(word, str) and "\0" not in word]
    if not argv or len(argv) != len(words) or not argv[0]:
        raise Wrong(f"{found} as its command", 'the program and its arguments, like ["pass", "show", "x"]')
    program = str(here.path(argv[0])) if "/" in argv[0] else argv[0]
    return (program, *argv[1:])


def _names(table: Mapping[str, object]) -> str:
    return shown(", ".join(table), 80) or "nothing in it"


def _secret(content: bytes, where: str) -> Secret:
    value = content.decode("utf-8", "surrogateescape").strip()
    if not value:
        raise Wrong(f"{where}, which holds nothing", "the secret")
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise Wrong(f"{where}, which holds more than one line, or control characters", "the secret alone")
    return Secret(value)
