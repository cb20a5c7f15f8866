"""Secrets: where they may be, when they are fetched, and that nobody ever sees them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config_home import ConfigHome
from gpumon.config import secrets
from gpumon.settings import Secret

Put = Callable[[ConfigHome, str], str]


def in_file(home: ConfigHome, secret: str) -> str:
    """Puts a secret into a file."""
    home.write("secret", f"{secret}\n")
    return '{ file = "secret" }'


def in_command(home: ConfigHome, secret: str) -> str:
    """Has a command print a secret and more."""
    home.write("secret", f"{secret}\nsecond line\n")
    return f'{{ command = ["cat", "{home.path / "secret"}"] }}'


def in_environment(home: ConfigHome, secret: str) -> str:
    """Puts a secret into the environment."""
    home.environ["TOKEN"] = secret
    return '{ env = "TOKEN" }'


@pytest.mark.parametrize("put", [in_file, in_command, in_environment])
def test_a_secret_is_fetched_from_its_place(home: ConfigHome, put: Put) -> None:
    place = put(home, "hush, ünique")
    prometheus = home.load(f"[prometheus]\nbearer_token = {place}").prometheus
    assert prometheus.bearer_token == Secret("hush, ünique")
    prometheus = home.load(f'[prometheus]\nusername = "ann"\npassword = {place}').prometheus
    assert prometheus.password == Secret("hush, ünique")
    prometheus = home.load(f"[prometheus]\nheaders = {{ X-Key = {place} }}").prometheus
    assert prometheus.headers == (("X-Key", Secret("hush, ünique")),)


@pytest.mark.parametrize("put", [in_file, in_command, in_environment])
def test_a_secret_is_never_printed(home: ConfigHome, put: Put) -> None:
    text = f'[prometheus]\nheaders = {{ A = {put(home, "hush")}, B = "hush" }}\nbearer_token = {put(home, "hush")}'
    assert "hush" not in repr(home.load(text))
    assert "hush" not in str(home.mistakes(f"{text}\nusername = 'x'\ntimeout = -1"))


@pytest.mark.parametrize("key", ["password", "bearer_token"])
def test_a_secret_in_plain_text_is_refused_with_advice(home: ConfigHome, key: str) -> None:
    line = home.mistakes(f'[prometheus]\nusername = "ann"\n{key} = "hush"')[0]
    assert line.startswith(f"prometheus.{key}: found a secret in plain text; expected {{ file =")
    assert "{ env =" in line
    assert "{ command =" in line
    assert "hush" not in line


@pytest.mark.parametrize(
    "value",
    [
        "5",
        "['hush']",
        "{}",
        "{ fiel = 'hush' }",
        "{ file = 'hush', env = 'hush' }",
        "{ file = 5 }",
        "{ file = '' }",
        "{ env = '' }",
        "{ env = 'A=hush' }",
        "{ command = 'hush' }",
        "{ command = [] }",
        "{ command = [''] }",
        "{ command = ['hush', 1] }",
        '{ command = ["a\\u0000hush"] }',
    ],
)
@pytest.mark.parametrize("key", ["bearer_token", "headers.X-Key"])
def test_a_place_that_is_none_is_told_without_its_content(home: ConfigHome, key: str, value: str) -> None:
    (line,) = home.mistakes(f"[prometheus]\n{key} = {value}")
    assert line.startswith("prometheus.")
    assert "; expected " in line
    assert "hush" not in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds nothing"),
        (b"  \n", "holds nothing"),
        (b"one\nhush\n", "more than one line"),
        (b"hush\x1b[31m", "control characters"),
        (b"hush" * 20_000, "longer than any secret"),
    ],
)
def test_a_file_that_holds_no_secret_is_named(home: ConfigHome, content: bytes, words: str) -> None:
    (home.path / "token").write_bytes(content)
    (line,) = home.mistakes('[prometheus]\nbearer_token = { file = "~/token" }')
    assert f"prometheus.bearer_token: found the file {home.path / 'token'}" in line
    assert words in line
    assert "hush" not in line


def test_a_missing_secret_file_is_named(home: ConfigHome) -> None:
    (line,) = home.mistakes('[prometheus]\nbearer_token = { file = "gone" }')
    assert f"found the file {home.path / 'gone'}, which cannot be read (No such file or directory)" in line
    (line,) = home.mistakes('[prometheus]\nbearer_token = { file = "." }')
    assert "Is a directory" in line


def test_a_world_readable_secret_is_accepted_silently(home: ConfigHome, capfd: pytest.CaptureFixture[str]) -> None:
    home.write("token", "hush").chmod(0o644)
    assert home.load('[prometheus]\nbearer_token = { file = "token" }').prometheus.bearer_token == Secret("hush")
    assert capfd.readouterr() == ("", "")


def test_a_missing_environment_variable_is_named(home: ConfigHome) -> None:
    (line,) = home.mistakes('[prometheus]\nheaders.X-Key = { env = "NONE_SUCH" }')
    assert "prometheus.headers.X-Key: found the environment variable NONE_SUCH, which is not set" in line
    (line,) = home.mistakes('[prometheus]\nbearer_token = { env = "EMPTY" }', EMPTY="")
    assert "which holds nothing" in line


def python(code: str) -> str:
    """The place of a secret that a Python program prints."""
    words = ", ".join(f"'''{word}'''" for word in (sys.executable, "-c", code))
    return f"[prometheus]\nbearer_token = {{ command = [{words}] }}"


def test_a_command_that_fails_is_told_with_what_it_said(home: ConfigHome) -> None:
    (line,) = home.mistakes(python('import sys; print("hush"); sys.exit("no such key\\x1b[31m" + "x" * 1000)'))
    assert f"found the command {Path(sys.executable).name}, which failed with 1: no such key\\e[31mxxx" in line
    assert "hush" not in line
    assert len(line) < 500


@pytest.mark.parametrize("code", ["pass", "print()", "print('\\nhush')"])
def test_a_command_whose_first_line_is_empty_is_told(home: ConfigHome, code: str) -> None:
    (line,) = home.mistakes(python(code))
    assert "which holds nothing" in line
    assert "hush" not in line


@pytest.mark.parametrize(("program", "words"), [("none-such-program", "No such file"), ("./gpumon.toml", "denied")])
def test_a_command_that_cannot_be_run_is_told(home: ConfigHome, program: str, words: str) -> None:
    (line,) = home.mistakes(f'[prometheus]\nbearer_token = {{ command = ["{program}"] }}')
    assert "which cannot be run (" in line
    assert words in line


def test_a_command_beside_the_file_is_found(home: ConfigHome) -> None:
    home.write("tell", "#!/bin/sh\necho hush\n").chmod(0o755)
    assert home.load('[prometheus]\nbearer_token = { command = ["./tell"] }').prometheus.bearer_token == Secret("hush")


def test_a_command_that_does_not_end_is_ended_with_what_it_started(
    home: ConfigHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 0.3)
    began = time.monotonic()
    (line,) = home.mistakes('[prometheus]\nbearer_token = { command = ["sh", "-c", "sleep 60; echo hush"] }')
    assert "which did not end within 0.3 s" in line
    assert time.monotonic() - began < 20


def test_a_command_cannot_read_the_terminal(home: ConfigHome) -> None:
    code = "import sys; print(repr(sys.stdin.read()))"
    assert home.load(python(code)).prometheus.bearer_token == Secret("''")


def test_only_the_chosen_clusters_secrets_are_fetched(home: ConfigHome) -> None:
    text = """
        [prometheus]
        bearer_token = { file = "gone" }
        [clusters.west.prometheus]
        url = "http://west"
        bearer_token = { env = "GONE" }
        [clusters.east.prometheus]
        url = "http://east"
        bearer_token = { env = "TOKEN" }
    """
    assert home.load(text, "east", TOKEN="hush").prometheus.bearer_token == Secret("hush")
    (line,) = home.mistakes(text, "west")
    assert line.startswith("clusters.west.prometheus.bearer_token: found the environment variable GONE")


def test_no_command_runs_while_something_else_is_wrong(home: ConfigHome) -> None:
    lines = home.mistakes('theme = "x"\n[prometheus]\nbearer_token = { command = ["touch", "~/ran"] }\n'
                          'headers.A = { env = "GONE" }')  # fmt: skip
    assert len(lines) == 2
    command = f'[prometheus]\nbearer_token = {{ command = ["touch", "{home.path / "ran"}"] }}'
    home.mistakes(f'theme = "x"\n{command}')
    assert not (home.path / "ran").exists()
    home.mistakes(command)
    assert (home.path / "ran").exists()


@pytest.mark.parametrize("value", [" x", "x ", "a\\nb", "a\\u001bb"])
def test_a_plain_header_must_be_one_line(home: ConfigHome, value: str) -> None:
    (line,) = home.mistakes(f'[prometheus]\nheaders.X-Key = "{value}"')
    assert "X-Key with a text with a line break, or with blanks at an end" in line
