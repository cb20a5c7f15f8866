"""The command line of `gpumon` and `gpumon-tui`: its commands, its flags, and what was typed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NoReturn, Protocol, cast

from gpumon import __version__
from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_cli.flag_values import seconds, time, whole, words

SHELLS = ("bash", "zsh", "fish")
"""The shells that `gpumon completion` knows."""

LISTINGS = {
    "gpus": "every GPU: what it does, and who holds it",
    "nodes": "every node: load, memory, disks, Slurm's state and reason",
    "jobs": "the queue: who runs what on which GPUs, what waits for what; its numbers where no exporter tells of jobs",
    "idle": "GPUs that jobs hold and do not use, the most GPU-hours wasted first; exit code 1 when there are any",
    "alerts": "the alerts of Prometheus' own rules",
}
"""Commands that print rows, and what they are for."""

FILTERS = {
    "gpus": "util<10 user=ann",
    "nodes": "disk>90 state:idle",
    "jobs": "util<10 account=physics",
    "idle": "wasted>10 state=running",
    "alerts": "state=firing node:gpu",
}
"""For each of them an example of what --filter takes."""

SETUP = "setup"
"""The command whose verbs and flags stand in gpumon_setup."""

FEWEST_DEMO_NODES, MOST_DEMO_NODES = 4, 1250
"""Between these the simulated cluster can be sized."""


@dataclass
class Options:
    """What was typed; a field that was not typed keeps its default."""

    command: str = ""
    config: str | None = None
    cluster: str | None = None
    prometheus: str | None = None
    demo: bool = False
    demo_nodes: int = 12
    demo_seed: int = 1
    interval: float | None = None
    theme: str | None = None
    json: bool = False
    csv: bool = False
    header: bool = True
    columns: str | None = None
    filter: str | None = None
    sort: str | None = None
    reverse: bool = False
    limit: int | None = None
    watch: float | None = None
    """Seconds between readings; 0 for the scrape interval, None to read once."""
    names: list[str] = field(default_factory=list[str])
    """Nodes to which `gpus` and `nodes` are limited; users for `jobs`."""
    users: list[str] = field(default_factory=list[str])
    states: list[str] = field(default_factory=list[str])
    partitions: list[str] = field(default_factory=list[str])
    """What --user, --state and --partition said."""
    fold: bool = True
    """False to have every task of an array as a row of its own."""
    least_seconds: float | None = None
    """For how long a GPU must have been idle; None for the configured time."""
    job: str = ""
    """The job of `gpumon job`, as people write it."""
    gpus: int = 1
    type: str | None = None
    """How many GPUs of which type `gpumon free` looks for."""
    warn: list[str] = field(default_factory=list[str])
    crit: list[str] = field(default_factory=list[str])
    shell: str = ""
    action: str = ""
    host: str = "127.0.0.1"
    port: int = 9400
    """Where `gpumon demo serve` listens."""


class Commands(Protocol):
    """What argparse gives for adding commands to a parser."""

    def add_parser(self, name: str, **settings: Any) -> Parser:
        """A new command's parser."""
        ...


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are a UsageError."""

    def __init__(self, *, epilogue: Callable[[], str] | None = None, **settings: object) -> None:
        super().__init__(
            allow_abbrev=False,
            argument_default=argparse.SUPPRESS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,  # type: ignore[arg-type]  # argparse's own keywords, handed on by add_parser
        )
        self._epilogue = epilogue

    def format_help(self) -> str:
        """The help; what needs an import to be said is said only now."""
        if self._epilogue is not None:
            self.epilog = self._epilogue()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raises: UsageError: always."""
        sentence = _pointed(message, self)
        raise UsageError(sentence if sentence.endswith("?") else f"{sentence}.", advice=f"See `{self.prog} --help`.")


def parse(arguments: Sequence[str]) -> Options:
    """What was typed behind `gpumon`.

    Raises:
        UsageError: it is not a command line of gpumon.
    """
    return parser(has_setup=arguments[:1] == [SETUP]).parse_args(_joined(arguments), namespace=Options())


def parse_dashboard(arguments: Sequence[str]) -> Options:
    """What was typed behind `gpumon-tui`; raises as `parse` does."""
    return dashboard_parser().parse_args(list(arguments), namespace=Options())


def parser(*, has_setup: bool = True) -> Parser:
    """The command line of `gpumon`; without `has_setup` it lacks the flags of `gpumon setup`, which cost an import."""
    root = Parser(
        prog="gpumon",
        description="What every GPU of a Slurm cluster is doing, and which job and user holds it.",
        epilog="Exit codes: 0 fine, 1 findings, 2 usage or configuration, 3 no answer. `gpumon-tui` is the dashboard.",
    )
    root.add_argument("--version", action="version", version=f"gpumon {__version__}")
    add_source_flags(root)
    commands = root.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=Parser)
    _add_status(commands)
    for name, purpose in LISTINGS.items():
        _add_listing(commands, name, purpose)
    _add_job(commands)
    _add_free(commands)
    doctor = commands.add_parser("doctor", help="checks the way from here to the numbers, and says what to do")
    add_source_flags(doctor)
    doctor.add_argument("--json", action="store_true", help="the steps as one JSON object")
    _add_demo(commands)
    _add_setup(commands, has_flags=has_setup)
    completion = commands.add_parser("completion", help="prints the completion script of a shell")
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    _add_dashboard_flags(commands.add_parser("tui", help="the dashboard, as gpumon-tui"))
    return root


def dashboard_parser() -> Parser:
    """The command line of `gpumon-tui`."""
    root = Parser(prog="gpumon-tui", description="The live dashboard of a GPU cluster. In a script: gpumon status.")
    root.add_argument("--version", action="version", version=f"gpumon-tui {__version__}")
    _add_dashboard_flags(root)
    return root


def add_source_flags(target: argparse.ArgumentParser) -> None:
    """Adds the flags that say where the numbers come from."""
    source = target.add_argument_group("where the numbers come from")
    source.add_argument("--config", metavar="FILE", help="configuration; else $GPUMON_CONFIG, ~/.config/gpumon, /etc")
    source.add_argument("--cluster", metavar="NAME", help="one of the clusters in the configuration")
    source.add_argument("--prometheus", metavar="URL", help="Prometheus, with its path prefix")
    source.add_argument("--demo", action="store_true", help="a simulated cluster: nothing else is needed")
    source.add_argument(
        "--demo-nodes",
        metavar="N",
        type=whole("--demo-nodes", FEWEST_DEMO_NODES, MOST_DEMO_NODES),
        help=f"its size, {FEWEST_DEMO_NODES} to {MOST_DEMO_NODES} nodes",
    )
    source.add_argument("--demo-seed", metavar="N", type=whole("--demo-seed", 0, 2**31), help="another such cluster")


def _add_dashboard_flags(target: argparse.ArgumentParser) -> None:
    add_source_flags(target)
    looks = target.add_argument_group("looks")
    looks.add_argument("--interval", metavar="SECONDS", type=seconds, help="between refreshes; else the scrape's")
    looks.add_argument("--theme", metavar="NAME", help="colours")


def _add_status(commands: Commands) -> None:
    def epilogue() -> str:
        from gpumon_cli.conditions import measures_help

        return measures_help()

    status = commands.add_parser(
        "status", help="what the GPUs are doing, who holds them, what is wrong", epilogue=epilogue
    )
    add_source_flags(status)
    status.add_argument("--json", action="store_true", help="one JSON object, see docs/json.md")
    _add_watch(status.add_argument)
    checks = status.add_argument_group("for monitoring systems: exit code 0/1/2/3 = OK/WARNING/CRITICAL/UNKNOWN")
    for flag in ("warn", "crit"):
        checks.add_argument(
            f"--{flag}", metavar="CONDITION", action="append", help="for instance 'hot>0' or 'util<10,free<4'"
        )


def _add_listing(commands: Commands, name: str, purpose: str) -> None:
    def epilogue() -> str:
        from gpumon_cli.listings import columns_help

        return columns_help(name)

    listing = commands.add_parser(name, help=purpose, description=_sentence(purpose), epilogue=epilogue)
    if name in ("gpus", "nodes", "jobs"):
        kind = "USER" if name == "jobs" else "NODE"
        listing.add_argument("names", metavar=kind, nargs="*", help=f"only of these {kind.lower()}s")
    if name in ("jobs", "idle"):
        _add_choice(listing, name)
    add_source_flags(listing)
    form = listing.add_argument_group("what is printed, and how")
    either = form.add_mutually_exclusive_group()
    either.add_argument("--json", action="store_true", help="one JSON object, see docs/json.md")
    either.add_argument("--csv", action="store_true", help="one record a row, numbers in base units")
    form.add_argument("--no-header", action="store_false", dest="header", help="no line of titles")
    form.add_argument("--columns", metavar="A,B,C", help="these columns, in this order")
    form.add_argument("--filter", metavar="EXPR", help=f"only rows that match, for instance {FILTERS[name]!r}")
    form.add_argument("--sort", metavar="KEY", help="by this column; -KEY for the largest first")
    form.add_argument("--reverse", action="store_true", help="the other way round")
    form.add_argument("--limit", metavar="N", type=whole("--limit", 1, 10**9), help="no more than N rows")
    _add_watch(form.add_argument)


def _sentence(purpose: str) -> str:
    return f"{purpose[0].upper()}{purpose[1:]}."


def _add_choice(listing: Parser, name: str) -> None:
    """Adds the flags by which jobs are chosen."""
    choice = listing.add_argument_group("which jobs")
    if name == "idle":
        choice.add_argument(
            "--min",
            dest="least_seconds",
            metavar="TIME",
            type=time,
            help="idle for at least so long: 30m, 2h, 1d (thresholds.idle_minutes)",
        )
    flags = {
        "user": "of these users",
        "state": "in these states: R or running, PD, CG, S, ...",
        "partition": "in these",
    }
    for flag, which in flags.items():
        if name == "jobs" or flag == "user":
            choice.add_argument(
                f"--{flag}",
                dest=f"{flag}s",
                metavar="A,B",
                action="extend",
                type=words,
                help=f"only {which}; may be repeated",
            )
    if name == "jobs":
        choice.add_argument(
            "--tasks",
            "--no-fold",
            dest="fold",
            action="store_false",
            help="a row for each task of an array, as JSON and CSV have it",
        )


def _add_job(commands: Commands) -> None:
    purpose = "everything about one job: its GPUs and what they do, or why it waits and for how long"
    job = commands.add_parser("job", help=purpose, description=_sentence(purpose))
    job.add_argument(
        "job", metavar="ID", help="4711; 4711_3 for a task of an array, 4711 for all; 4711+1 of a heterogeneous one"
    )
    add_source_flags(job)
    job.add_argument("--json", action="store_true", help="one JSON object, see docs/json.md")
    _add_watch(job.add_argument)


def _add_free(commands: Commands) -> None:
    purpose = (
        "which GPUs are free, where a job finds room now, and when room is made; exit code 1 when there is none now"
    )
    free = commands.add_parser("free", help=purpose, description=_sentence(purpose))
    wish = free.add_argument_group("for which job")
    wish.add_argument(
        "--gpus", metavar="N", type=whole("--gpus", 1, 10**4), help="it needs so many GPUs on one node (1)"
    )
    wish.add_argument("--type", metavar="T", help="of this type, as Slurm or the driver names it: h100, l40s")
    add_source_flags(free)
    free.add_argument("--json", action="store_true", help="one JSON object, see docs/json.md")
    _add_watch(free.add_argument)


def _add_watch(add: Callable[..., object]) -> None:
    add(
        "--watch",
        metavar="SECONDS",
        nargs="?",
        const=0.0,
        type=seconds,
        help="again and again until Ctrl-C; without SECONDS at the scrape interval",
    )


def _add_setup(commands: Commands, *, has_flags: bool) -> None:
    setup = commands.add_parser(SETUP, help="deploys the whole stack on a cluster, over SSH")
    setup.add_argument("--config", metavar="FILE", help="configuration; else $GPUMON_CONFIG, ~/.config/gpumon, /etc")
    if has_flags:
        from gpumon_setup.command import add_arguments

        add_arguments(setup)


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser("demo", help="the simulated cluster as exporters, for a real Prometheus")
    actions = demo.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    serve = actions.add_parser("serve", help="answers scrapes until Ctrl-C")
    serve.add_argument("--host", metavar="ADDRESS", help="to listen on (127.0.0.1)")
    serve.add_argument("--port", metavar="N", type=whole("--port", 0, 65535), help="to listen on (9400); 0: any")
    serve.add_argument("--interval", metavar="SECONDS", type=seconds, help="scrape interval it recommends (15)")
    serve.add_argument(
        "--demo-nodes",
        "--nodes",
        metavar="N",
        type=whole("--demo-nodes", FEWEST_DEMO_NODES, MOST_DEMO_NODES),
        help=f"{FEWEST_DEMO_NODES} to {MOST_DEMO_NODES}",
    )
    serve.add_argument("--demo-seed", "--seed", metavar="N", type=whole("--demo-seed", 0, 2**31), help="another one")


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--sort -util` as `--sort=-util`, since argparse takes `-util` for a flag."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--sort" and re.match(r"-\w", argument):
            joined[-1] = f"--sort={argument}"
        else:
            joined.append(argument)
    return joined


def _pointed(message: str, parser: argparse.ArgumentParser) -> str:
    """argparse's complaint without its stammer, with the nearest word that would have been understood."""
    if unknown := re.match(r"unrecognized arguments: (\S+)", message):
        typed = unknown.group(1)
        return f"{shown(typed, 80)!r} is not understood{_nearest(typed.split('=')[0], _flags(parser))}"
    if choice := re.match(r"argument (\S+): invalid choice: '(.*)' \(.*choose from (.*)\)$", message, re.DOTALL):
        what, typed, known = choice.groups()
        names = re.findall(r"[\w-]+", known)
        meant = _nearest(typed, names) or f"; known are {', '.join(names)}"
        return f"{what.lower()} {shown(typed, 80)!r} is not known{meant}"
    return shown(re.sub(r"^argument \S+: (?=(--\S+ takes )|a number)", "", message)).removesuffix(".")


def _nearest(typed: str, known: Iterable[str]) -> str:
    near = get_close_matches(typed, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _flags(parser: argparse.ArgumentParser) -> set[str]:
    """Every flag of a parser and of its commands."""
    flags: set[str] = set()
    for action in parser._actions:
        flags.update(action.option_strings)
        commands: Any = action.choices
        if isinstance(commands, dict):
            flags.update(*map(_flags, cast("dict[str, argparse.ArgumentParser]", commands).values()))
    return flags
