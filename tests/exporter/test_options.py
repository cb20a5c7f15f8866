"""Every option works from the command line and from the environment, and a wrong one is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

import gpumon
import gpumon_exporter
from gpumon_exporter.failures import BadOption
from gpumon_exporter.options import Options, parse
from gpumon_exporter.web.listening import Address


def test_without_options_it_listens_where_the_usual_exporter_does() -> None:
    assert parse([], {}) == Options()
    assert Options().listen == Address("", 8080)


def test_options_are_understood(tmp_path: Path) -> None:
    typed = "--listen [::1]:9 --interval 30s --timeout=2.5 --max-pending 0 --finished-window 2h --no-sacct --once"
    options = parse([*typed.split(), "--slurm-bin", str(tmp_path), "--web.config.file", "web.yml"], {})
    assert options == Options(
        listen=Address("::1", 9),
        web_config_file=Path("web.yml"),
        slurm_bin=tmp_path,
        interval=30,
        timeout=2.5,
        max_pending=0,
        finished_window=7200,
        no_sacct=True,
        once=True,
    )


def test_every_option_can_be_a_variable_and_what_is_typed_wins() -> None:
    environment = {
        "GPUMON_EXPORTER_LISTEN": "head:1",
        "GPUMON_EXPORTER_WEB_CONFIG_FILE": "/etc/web.yml",
        "GPUMON_EXPORTER_INTERVAL": "60",
        "GPUMON_EXPORTER_NO_JOB_NAMES": "yes",
        "GPUMON_EXPORTER_NO_VPENSO_NAMES": "0",
        "PATH": "/bin",
    }
    options = parse(["--interval", "20"], environment)
    assert options == Options(Address("head", 1), Path("/etc/web.yml"), interval=20, no_job_names=True)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("--listn :1", "'--listn' is not understood; did you mean --listen?"),
        ("--listen 8080", "--listen: '8080' is not an address with a port, such as :8080, 10.0.0.5:8080 or [::1]:8080"),
        ("--listen :70000", "--listen: ':70000' is not an address with a port"),
        ("--interval 0", "--interval: '0' is not a time from 1 s to 3600 s"),
        ("--interval 1e3", "--interval: '1e3' is not a time"),
        ("--max-pending -1", "--max-pending: '-1' is not a whole number from 0 to 1000000"),
        ("--max-pending ten", "--max-pending: 'ten' is not a whole number"),
        ("--slurm-bin /nowhere", "--slurm-bin: '/nowhere' is no folder"),
        ("--log-level loud", "--log-level: invalid choice: 'loud'"),
        ("serve", "'serve' is not understood"),
        ("--once=\x1b[31m", "--once: ignored explicit argument"),
    ],
)
def test_a_wrong_option_is_one_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(BadOption) as refused:
        parse(typed.split(), {})
    assert str(refused.value).startswith(sentence)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("INTERVAL", "soon", "GPUMON_EXPORTER_INTERVAL: --interval: 'soon' is not a time"),
        ("NO_SACCT", "maybe", "GPUMON_EXPORTER_NO_SACCT: 'maybe' is neither yes nor no"),
        ("LISTN", ":1", "there is no option for the variable GPUMON_EXPORTER_LISTN"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(BadOption) as refused:
        parse([], {f"GPUMON_EXPORTER_{variable}": value})
    assert str(refused.value).startswith(sentence)


def test_the_exporter_has_the_version_of_the_whole() -> None:
    assert gpumon_exporter.__version__ == gpumon.__version__
