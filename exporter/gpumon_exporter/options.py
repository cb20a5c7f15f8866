"""What may be typed behind `gpumon-slurm-exporter`, or set in its environment."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from gpumon_exporter import __version__
from gpumon_exporter.failures import BadOption
from gpumon_exporter.log import LEVELS, one_line
from gpumon_exporter.web.listening import Address, address_of

PROGRAM = "gpumon-slurm-exporter"
ENVIRONMENT = "GPUMON_EXPORTER_"
"""Every option can be set as a variable, too: GPUMON_EXPORTER_LISTEN for --listen."""

EVERYWHERE = Address("", 8080)
"""Where the usual Slurm exporter listens, too."""

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass
class Options:
    """How the exporter works; a field that was not typed keeps its default."""

    listen: Address = EVERYWHERE
    web_config_file: Path | None = None
    """Certificates and logins; None for plain HTTP that everybody may read."""
    slurm_bin: Path | None = None
    """The folder of Slurm's commands; None to look where the PATH says."""
    interval: float = 15.0
    """Seconds between the starts of two readings."""
    timeout: float = 10.0
    """Seconds that one command of Slurm may take."""
    max_pending: int = 5000
    """Waiting jobs that are told one by one, those of the highest priority."""
    finished_window: float = 3600.0
    """Seconds for which a finished job counts as recent."""
    no_sacct: bool = False
    no_vpenso_names: bool = False
    no_job_metrics: bool = False
    no_job_names: bool = False
    log_level: str = "info"
    once: bool = False


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """What was set and typed; what was typed wins.

    Raises:
        BadOption: it is no option of the exporter, or no value for it.
    """
    options = Options()
    parser = _parser()
    for variable, value in environment.items():
        if variable.startswith(ENVIRONMENT):
            _set(parser, options, variable, value)
    return parser.parse_args(list(arguments), namespace=options)


def flags() -> tuple[str, ...]:
    """All options that can be set."""
    return tuple(_flags(_parser()))


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="What Slurm knows of jobs, nodes and who holds which GPU, for Prometheus.",
        epilog=f"`{PROGRAM} gpu-map --help`: which GPU Slurm's numbers mean, for a node's textfile collector. "
        f"Every option can be set as {ENVIRONMENT}<OPTION> in the environment, too.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_serving(parser.add_argument_group("serving").add_argument)
    _add_reading(parser.add_argument_group("reading Slurm").add_argument)
    _add_telling(parser.add_argument_group("what is told").add_argument)
    return parser


def _add_serving(add: Callable[..., object]) -> None:
    add("--listen", metavar="ADDRESS:PORT", type=_address, help="where (:8080)")
    add("--web.config.file", dest="web_config_file", metavar="FILE", type=Path, help="TLS and passwords")
    add("--log-level", metavar="LEVEL", choices=LEVELS, help=f"{', '.join(LEVELS)} (info)")
    add("--once", action="store_true", help="prints the metrics of one reading, and ends")


def _add_reading(add: Callable[..., object]) -> None:
    add("--slurm-bin", metavar="FOLDER", type=_folder, help="where squeue is, if not in PATH")
    add("--interval", metavar="SECONDS", type=_seconds(1, 3600), help="between two readings (15)")
    add("--timeout", metavar="SECONDS", type=_seconds(1, 600), help="that one command may take (10)")
    add("--max-pending", metavar="N", type=_whole(10**6), help="waiting jobs to tell one by one (5000)")
    add("--finished-window", metavar="TIME", type=_seconds(60, 7 * 86400), help="for recent jobs (1h)")
    add("--no-sacct", action="store_true", help="never asks the accounting for finished jobs")


def _add_telling(add: Callable[..., object]) -> None:
    add("--no-vpenso-names", action="store_true", help="no slurm_* series: another exporter has them")
    add("--no-job-metrics", action="store_true", help="no single jobs on /metrics")
    add("--no-job-names", action="store_true", help="jobs without their names")


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raises: BadOption: always."""
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        if unknown:
            near = get_close_matches(unknown[1].split("=")[0], _flags(self), 1)
            message = f"{unknown[1]!r} is not understood" + (f"; did you mean {near[0]}?" if near else "")
        raise BadOption(one_line(re.sub(r"^argument (\S+): ", r"\1: ", message)))


def _set(parser: Parser, options: Options, variable: str, value: str) -> None:
    """Takes an option from the environment."""
    action = {_variable(flag): action for flag, action in _flags(parser).items()}.get(variable)
    if action is None:
        raise BadOption(f"there is no option for the variable {one_line(variable)}")
    flag = action.option_strings[0]
    try:
        if action.nargs != 0:
            parser.parse_args([f"{flag}={value}"], namespace=options)
        elif _is_yes(value):
            parser.parse_args([flag], namespace=options)
    except BadOption as wrong:
        raise BadOption(f"{variable}: {wrong}") from wrong


def _flags(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The options that do something else than say something and end."""
    return {
        flag: action
        for action in parser._actions
        for flag in action.option_strings
        if flag not in ("-h", "--help", "--version")
    }


def _variable(flag: str) -> str:
    """The variable of an option."""
    return ENVIRONMENT + re.sub(r"\W", "_", flag.lstrip("-")).upper()


def _is_yes(value: str) -> bool:
    if value.lower() not in (*_YES, *_NO):
        raise BadOption(f"{value!r} is neither yes nor no")
    return value.lower() in _YES


def _address(text: str) -> Address:
    try:
        return address_of(text)
    except BadOption as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return Path(text)


def _seconds(least: float, most: float) -> Callable[[str], float]:
    def seconds(text: str) -> float:
        found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhd]?)", text)
        value = float(found[1]) * _UNITS[found[2]] if found else -1.0
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a time from {least:g} s to {most:g} s, such as 15 or 1h")
        return value

    return seconds


def _whole(most: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {most}")
        return int(text)

    return whole
