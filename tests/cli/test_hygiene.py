"""What a one-shot command loads, and that the installed command does what the module does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough  # each starts a whole program or plays on a whole screen

HEAVY = ("textual", "rich", "plotext", "paramiko", "requests", "click", "typer", "shtab", "prometheus_api_client")
_LOOK = """
import json, sys
from gpumon_cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print(json.dumps([code, sorted(name for name in sys.modules if "." not in name)]), file=sys.stderr)
"""


def loaded_by(*typed: str, tmp_path: Path) -> tuple[int, set[str]]:
    """The exit code of a command and the packages that its process had loaded at the end."""
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    ended = subprocess.run(
        [sys.executable, "-c", _LOOK, *typed],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GPUMON_CONFIG": str(empty)},
    )
    code, names = json.loads(ended.stderr.splitlines()[-1])
    return code, set(names)


@pytest.mark.parametrize(
    "typed",
    [
        ["status", "--demo"],
        ["gpus", "--json", "--demo"],
        ["nodes", "--demo", "--csv"],
        ["jobs", "--demo", "--filter", "state=running"],
        ["jobs", "--demo", "--state", "PD", "--json"],
        ["job", "4711", "--demo"],
        ["free", "--demo", "--gpus", "2"],
        ["alerts", "--demo"],
    ],
)
def test_a_one_shot_loads_nothing_heavy(typed: list[str], tmp_path: Path) -> None:
    code, names = loaded_by(*typed, tmp_path=tmp_path)
    assert code in (0, 1)
    assert not names & {*HEAVY, "httpx", "asyncio", "gpumon_setup"}


def test_asking_a_server_loads_nothing_but_the_client(tmp_path: Path) -> None:
    code, names = loaded_by("gpus", "--prometheus", "http://127.0.0.1:1", tmp_path=tmp_path)
    of_httpx_itself = {"click", "rich"}  # httpx loads its own command line where a development tool has installed click
    assert code == 3
    assert "httpx" in names
    assert not names & (set(HEAVY) - of_httpx_itself)


@pytest.mark.parametrize(
    "typed", [["--help"], ["--version"], ["gpus", "--help"], ["idle", "--help"], ["tui", "--help"]]
)
def test_help_loads_no_client_at_all(typed: list[str], tmp_path: Path) -> None:
    _, names = loaded_by(*typed, tmp_path=tmp_path)
    assert not names & {*HEAVY, "httpx", "asyncio", "gpumon_tui", "gpumon_demo"}


def test_the_installed_command_answers(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("gpumon")
    ended = subprocess.run(
        [command, "gpus", "--demo", "--json", "--limit", "1"], capture_output=True, text=True, check=True
    )
    answer = json.loads(ended.stdout)
    assert answer["simulated"] is True
    assert len(answer["gpus"]) == 1


def test_the_installed_command_is_quiet_when_its_reader_goes(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("gpumon")
    script = f"set -o pipefail; '{command}' gpus --demo --demo-nodes 200 --json --watch 0.1 | head -c 100 >/dev/null"
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 141
    assert ended.stderr == ""


def test_the_installed_dashboard_refuses_a_pipe() -> None:
    command = Path(sys.executable).with_name("gpumon-tui")
    ended = subprocess.run([command, "--demo"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "gpumon status" in ended.stderr
