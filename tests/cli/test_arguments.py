"""The command line: what is understood, and what is said of the rest."""

from __future__ import annotations

import pytest

from gpumon.errors import UsageError
from gpumon_cli.arguments import parse, parse_dashboard


def complaint(*typed: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(typed)
    return str(caught.value)


def test_what_is_not_typed_keeps_its_default() -> None:
    options = parse(["gpus"])
    assert (options.json, options.header, options.watch, options.limit, options.names) == (False, True, None, None, [])


@pytest.mark.parametrize("command", ["status", "gpus", "nodes", "jobs", "idle", "free", "alerts", "doctor", "tui"])
def test_every_command_takes_the_source_flags_on_either_side(command: str) -> None:
    flags = ["--demo", "--demo-nodes", "8", "--demo-seed", "2", "--cluster", "a", "--config", "f", "--prometheus", "u"]
    before, behind = parse([*flags, command]), parse([command, *flags])
    assert before == behind
    assert (behind.demo, behind.demo_nodes, behind.demo_seed) == (True, 8, 2)
    assert (behind.cluster, behind.config, behind.prometheus) == ("a", "f", "u")


def test_a_sort_key_may_begin_with_a_minus() -> None:
    assert parse(["gpus", "--sort", "-util"]).sort == "-util"
    assert parse(["gpus", "--sort=-util,node"]).sort == "-util,node"


def test_watch_needs_no_seconds() -> None:
    assert parse(["gpus", "--watch"]).watch == 0
    assert parse(["gpus", "--watch", "2.5"]).watch == 2.5


def test_conditions_are_collected() -> None:
    options = parse(["status", "--warn", "hot>0", "--warn", "util<10", "--crit", "down>=2"])
    assert (options.warn, options.crit) == (["hot>0", "util<10"], ["down>=2"])


def test_nodes_can_be_named() -> None:
    assert parse(["gpus", "gpu01", "gpu02", "--json"]).names == ["gpu01", "gpu02"]


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    assert "'statsu' is not known; did you mean status?" in complaint("statsu")


def test_a_mistyped_flag_is_answered_with_the_nearest() -> None:
    assert "'--jsno' is not understood; did you mean --json?" in complaint("gpus", "--jsno")


def test_a_shell_without_completion_is_answered_with_those_that_have_it() -> None:
    assert "known are bash, zsh, fish" in complaint("completion", "tcsh")


@pytest.mark.parametrize("text", ["3", "1251", "-4", "x", "4.5", "", "９"])
def test_a_demo_has_between_4_and_1250_nodes(text: str) -> None:
    assert "--demo-nodes takes a whole number, 4 to 1250" in complaint("gpus", f"--demo-nodes={text}")


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "soon", "1e9"])
def test_seconds_are_a_number_above_zero(text: str) -> None:
    assert "seconds above 0" in complaint("gpus", f"--watch={text}")


def test_jobs_are_chosen_by_flags_that_take_commas_and_repeat() -> None:
    options = parse(["jobs", "--user", "ann, bob", "--user=eve", "--state", "R,PD", "--partition", "h100"])
    assert options.users == ["ann", "bob", "eve"]
    assert (options.states, options.partitions, options.fold) == (["R", "PD"], ["h100"], True)


@pytest.mark.parametrize("text", ["", ",", " , "])
def test_a_flag_for_names_wants_one(text: str) -> None:
    assert "at least one name" in complaint("jobs", f"--user={text}")


@pytest.mark.parametrize("flag", ["--tasks", "--no-fold"])
def test_arrays_can_be_spread_under_either_name(flag: str) -> None:
    assert not parse(["jobs", flag]).fold


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), ("90s", 90), ("30", 1800), ("0", 0)],
)
def test_a_time_is_written_as_people_do(text: str, seconds: float) -> None:
    assert parse(["idle", "--min", text]).least_seconds == seconds


@pytest.mark.parametrize("text", ["", "soon", "-3m", "3m2h", "1.5h", "m", "٣m", "1e3"])
def test_another_time_is_refused_with_an_example(text: str) -> None:
    assert "a time like 30m, 2h or 1d" in complaint("idle", f"--min={text}")


def test_a_job_is_named_by_its_id_and_only_one() -> None:
    assert parse(["job", "4711_3", "--json"]).job == "4711_3"
    assert "ID" in complaint("job")
    assert "'12' is not understood" in complaint("job", "11", "12")


def test_free_takes_how_many_of_what() -> None:
    options = parse(["free", "--gpus", "4", "--type", "h100"])
    assert (options.gpus, options.type) == (4, "h100")
    assert parse(["free"]).gpus == 1


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_a_job_wants_a_whole_number_of_gpus(text: str) -> None:
    assert "--gpus takes a whole number, 1 to 10000" in complaint("free", f"--gpus={text}")


def test_json_and_csv_exclude_each_other() -> None:
    assert "not allowed with" in complaint("gpus", "--json", "--csv")


def test_flags_are_not_guessed_from_their_beginning() -> None:
    assert "--js" in complaint("gpus", "--js")


def test_a_hostile_word_is_not_sent_back_raw() -> None:
    assert "\x1b" not in complaint("\x1b[2J")
    assert "\x1b" not in complaint("gpus", "--limit=\x1b[2J")


def test_the_complaint_names_the_help_to_read() -> None:
    assert complaint("gpus", "--limit", "0").endswith("See `gpumon gpus --help`.")


def test_the_dashboard_takes_interval_and_theme() -> None:
    options = parse_dashboard(["--interval", "5", "--theme", "light", "--demo"])
    assert (options.interval, options.theme, options.demo) == (5, "light", True)


def test_demo_serve_takes_an_address() -> None:
    options = parse(["demo", "serve", "--port", "0", "--nodes", "6", "--seed", "3"])
    assert (options.command, options.action, options.port, options.demo_nodes) == ("demo", "serve", 0, 6)


def test_demo_alone_says_what_is_missing() -> None:
    assert "ACTION" in complaint("demo")
