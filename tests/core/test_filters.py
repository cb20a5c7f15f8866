"""The filter's grammar, its mistakes, and the order of rows."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clusters import NOW, gpu, job
from gpumon import units
from gpumon.columns import GPU_COLUMNS, JOB_COLUMNS, Column, by_key
from gpumon.errors import FilterError, UsageError
from gpumon.filters import parse_filter, sort_rows
from gpumon.model import ClusterSnapshot, Job
from gpumon.text import natural_key, shown

SNAPSHOT = ClusterSnapshot(taken_at=1000.0)


@dataclass(frozen=True)
class Thing:
    """A row with a text and a share."""

    name: str | None = None
    share: float | None = None


COLUMNS: tuple[Column[Thing], ...] = (
    Column(
        "name",
        "NAME",
        10,
        lambda row, _: row.name,
        lambda row, _s, _u: units.MISSING if row.name is None else shown(row.name),
    ),
    Column("util", "UTIL", 5, lambda row, _: row.share, lambda row, _s, _u: units.share(row.share), True, 100, "util"),
)


def wanted(text: str, row: Thing) -> bool:
    """Whether the filter `text` wants `row`."""
    return parse_filter(text, COLUMNS).matches(row, SNAPSHOT)


def mistake(text: str) -> FilterError:
    """What is said about the filter `text`."""
    with pytest.raises(FilterError) as caught:
        parse_filter(text, COLUMNS)
    return caught.value


def test_idle_time_is_filtered_in_minutes_of_gpus_and_of_jobs() -> None:
    gpus = tuple(gpu("a", place, jobs=("7",), idle_since=NOW - minutes * 60) for place, minutes in enumerate((29, 31)))
    mine, other = job(7, held=(gpus[1].key,)), job(8, held=(gpus[0].key,))
    snapshot = ClusterSnapshot(taken_at=NOW, gpus=gpus, jobs=(mine, other))
    of_gpus, of_jobs = parse_filter("idle>30", GPU_COLUMNS), parse_filter("idle>30", JOB_COLUMNS)
    assert [of_gpus.matches(each, snapshot) for each in gpus] == [False, True]
    assert [of_jobs.matches(each, snapshot) for each in (mine, other)] == [True, False]


@pytest.mark.parametrize("text", ["", "   ", "\t\n"])
def test_a_blank_filter_is_empty_and_wants_everything(text: str) -> None:
    chosen = parse_filter(text, COLUMNS)
    assert chosen.is_empty
    assert chosen.text == text
    assert chosen.matches(Thing(), SNAPSHOT)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ali", "Alice"),
        ("ALI", "alice"),
        ("ali ice", "alice"),
        ('"my job"', "this is My Job"),
        (r'"say \"hi\""', 'say "hi"'),
        ('""', "anything"),
        ("/^gpu0[1-4]$/", "GPU03"),
        ("/a b/ c", "a b c"),
        (r"/a\/b/", "a/b"),
        ("//", "anything"),
        ("!bob", "alice"),
        ("!!alice", "alice"),
        ("!/^b/", "alice"),
        ('!"x y"', "x_y"),
        ("name:lic", "alice"),
        ("NAME:lic", "alice"),
        ('name:"a b"', "xa bx"),
        ("name=Alice", "alice"),
        ("name==alice", "alice"),
        ('name=""', ""),
        ("name!=bob", "alice"),
        ("!name:bob", "alice"),
        ("http://x", "see http://x/y"),
        ("12:30", "at 12:30"),
        ("gpu-1:9400", "gpu-1:9400"),
        ('"gpu01:9400"', "gpu01:9400"),
        ("1<2", "1<2"),
        ("[bold]", "[bold]x[/]"),
        (r"\e[31m", "\x1b[31mred"),
        ('name="-"', "-"),
        ("STRASSE", "straße"),
        ("a!b", "a!b"),
        ('ab"c', 'ab"c'),
    ],
)
def test_a_term_finds_its_text(text: str, name: str) -> None:
    assert wanted(text, Thing(name, 0.5))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("bob", "alice"),
        ("ali bob", "alice"),
        ("!ali", "alice"),
        ("name=ali", "alice"),
        ("name!=alice", "Alice"),
        ("/^lice/", "alice"),
        ("name:50", "alice"),
        ('"ali ce"', "alice"),
        ("name:-", "a-b"),
    ],
)
def test_a_term_leaves_out_the_rest(text: str, name: str) -> None:
    assert not wanted(text, Thing(name, 0.5))


@pytest.mark.parametrize(
    ("text", "share", "expected"),
    [
        ("util<10", 0.099, True),
        ("util<10", 0.1, False),
        ("util<=10", 0.1, True),
        ("util<10%", 0.05, True),
        ("util>99.5", 1.0, True),
        ("util>=100", 1.0, True),
        ("util>-1", 0.0, True),
        ("util=50", 0.5, True),
        ("util=7", 0.07, True),
        ("util!=7", 0.07, False),
        ("util==50", 0.51, False),
        ("util!=50", 0.51, True),
        ("util:5", 0.5, True),
        ("50%", 0.5, True),
        ("/^9.%$/", 0.93, True),
        (".5", 0.5, False),
    ],
)
def test_numbers_are_compared_in_the_unit_in_which_they_are_typed(text: str, share: float, expected: bool) -> None:
    assert wanted(text, Thing("x", share)) is expected


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "=", "!=", ":"])
def test_an_unknown_number_matches_no_comparison(sign: str) -> None:
    assert not wanted(f"util{sign}0", Thing("x"))
    assert wanted(f"!util{sign}0", Thing("x"))


@pytest.mark.parametrize("text", ["name=x", "name!=x", "name:x", 'name:""', 'name=""', "x", "/x/", "–"])
def test_an_unknown_text_matches_nothing(text: str) -> None:
    assert not wanted(text, Thing(None, None))


@pytest.mark.parametrize(("key", "row"), [("name", Thing(None, 0.0)), ("util", Thing("", None))])
def test_a_dash_finds_what_is_not_known(key: str, row: Thing) -> None:
    for dash in ("-", "–"):
        assert wanted(f"{key}:{dash}", row)
        assert wanted(f"{key}={dash}", row)
        assert not wanted(f"{key}!={dash}", row)
        assert not wanted(f"{key}:{dash}", Thing("", 0.0))
        assert wanted(f"{key}!={dash}", Thing("", 0.0))


def test_a_word_without_a_digit_is_not_looked_for_in_numbers() -> None:
    assert not wanted("%", Thing("x", 0.5))
    assert wanted("util:%", Thing("x", 0.5))


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("abc utli<10", 4, "did you mean util?"),
        ("gpu01:9400", 0, '"..."'),
        ("xyzzy=1", 0, "known are name, util"),
        ("!nmae:x", 1, "did you mean name?"),
        ("util<ten", 5, "a number is expected"),
        ("util>=", 6, "nothing follows util>="),
        ("util<nan", 5, "a number"),
        ("util<inf", 5, "a number"),
        ("util<1e3", 5, "a number"),
        ("util=abc", 5, "a number"),
        ("util<٣", 5, "a number"),
        ("util<" + "9" * 400, 5, "a number"),
        ('util<""', 5, "a number"),
        ("util<-", 5, "a number"),
        ("name<5", 4, "name holds text"),
        ("name:", 5, "name:- finds"),
        ("name: x", 5, "nothing follows"),
        ("a !", 2, "nothing follows the !"),
        ("! a", 0, "nothing follows the !"),
        ('a "b c', 2, "never closed"),
        ('name:"b', 5, "never closed"),
        ("a /b", 2, "no / at its end"),
        ("/scratch/x", 0, "in quotes"),
        ("/ab(/", 3, "broken"),
        ("/[a/", 1, "broken"),
        ("/*a/", 1, "broken"),
        ("/" + "a" * 201 + "/", 201, "at most 200"),
        ("/(a+)+/", 4, "group cannot be repeated"),
        ("/a*a*a*a*/", 8, "at most 3 repeats"),
        ("/(a)(b)(c)(d)/", 10, "at most 3 groups"),
        ("/(?=a)/", 1, "only (?:...)"),
        ("/(?i)a/", 1, "only (?:...)"),
        (r"/(a)\1/", 4, "reference back"),
        ("/a{99999999999999999999}/", 1, "too often"),
        ("a" * 2001, 0, "at most 2000"),
    ],
)
def test_a_mistake_points_at_its_place(text: str, position: int, words: str) -> None:
    error = mistake(text)
    assert error.position == position
    assert words in str(error)
    assert isinstance(error, UsageError)


def test_the_pointer_stands_under_the_place_whatever_was_typed_before_it() -> None:
    lines = str(mistake('"\x1b[31m" zzz:1')).splitlines()
    assert lines[1] == r'  "\e[31m" zzz:1'
    assert lines[2].index("^") == lines[1].index("zzz")


@pytest.mark.parametrize("pattern", [r"[[a]", "[)*(]+", r"\(\*", "(?:a|b)c", "a|b|c|d|e", "x{2}", "[]*+]", "a*?b"])
def test_simple_expressions_are_understood(pattern: str) -> None:
    parse_filter(f"/{pattern}/", COLUMNS)


@pytest.mark.parametrize("pattern", [".*.*.*!", "[a]*a*a*!", "(a|a)(a|a)(a|a)a*a*!"])
def test_no_expression_takes_for_ever(pattern: str) -> None:
    began = time.process_time()
    assert not wanted(f"/{pattern}/", Thing("a" * 100_000))
    assert time.process_time() - began < 2


PIECES = st.sampled_from(
    ["name", "util", ":", "=", "<", ">=", "!", '"', "/", "\\", "(", ")", "*", "+", "?", "{", "}", "[", "]", "|", " ",
     "1", "9", "a", "-", "–", "%", ".", "^", "$", "\n", "\x1b", "\u202e", "&&", "--", "~~", "||", ",", "\ud800"]
)  # fmt: skip
HOSTILE = st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join))


@given(text=HOSTILE, name=st.one_of(st.none(), st.text()), share=st.one_of(st.none(), st.floats(0, 1)))
@example(text="/\\/", name="", share=None)
@example(text="/[[a]/", name="[", share=None)
def test_hostile_text_is_a_filter_or_a_filter_error(text: str, name: str | None, share: float | None) -> None:
    try:
        chosen = parse_filter(text, COLUMNS)
    except FilterError as caught:
        error = caught
    else:
        assert chosen.matches(Thing(name, share), SNAPSHOT) in (True, False)
        return
    assert 0 <= error.position <= len(error.text)
    assert "\x1b" not in str(error)


@given(st.text())
def test_every_text_in_quotes_finds_itself(name: str) -> None:
    text = name.replace("\\", "").replace('"', '\\"')[:900]
    assert wanted(f'"{text}"', Thing(f"before {name.replace(chr(92), '')[:900]} after"))


@given(st.lists(PIECES, max_size=10).map("".join), st.text())
def test_an_inverted_filter_of_one_term_wants_the_others(word: str, name: str) -> None:
    try:
        chosen, inverted = parse_filter(word, COLUMNS), parse_filter(f"!{word}", COLUMNS)
    except FilterError:
        return
    if len(chosen.terms) == 1 and not word[0].isspace():
        assert chosen.matches(Thing(name), SNAPSHOT) is not inverted.matches(Thing(name), SNAPSHOT)


def test_units_decide_what_is_shown_and_found() -> None:
    columns: tuple[Column[Thing], ...] = (
        Column("temp", "T", 5, lambda row, _: row.share, lambda row, _s, unit: unit.degrees(row.share), True),
    )
    chosen = parse_filter("212", columns, units.Units(temperature="fahrenheit"))
    assert chosen.matches(Thing(None, 100.0), SNAPSHOT)


def names(rows: list[Thing]) -> list[str | None]:
    """What the rows are called."""
    return [row.name for row in rows]


def test_text_is_sorted_as_people_count() -> None:
    rows = [Thing(name) for name in ("gpu10", "gpu2", "Gpu1", "a", "gpu2b", "10", "9", "")]
    assert names(sort_rows(rows, COLUMNS[0], SNAPSHOT)) == ["", "9", "10", "a", "Gpu1", "gpu2", "gpu2b", "gpu10"]


def test_numbers_are_sorted_by_size() -> None:
    rows = [Thing("a", 0.9), Thing("b", 0.1), Thing("c", 0.25)]
    assert names(sort_rows(rows, COLUMNS[1], SNAPSHOT)) == ["b", "c", "a"]
    assert names(sort_rows(rows, COLUMNS[1], SNAPSHOT, descending=True)) == ["a", "c", "b"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_what_is_not_known_comes_last_in_either_direction(column: Column[Thing], descending: bool) -> None:
    rows = [Thing(None, None), Thing("x", 0.5), Thing(None, None), Thing("", 0.0)]
    assert [
        column.value(row, SNAPSHOT) is None for row in sort_rows(rows, column, SNAPSHOT, descending=descending)
    ] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("descending", [False, True])
def test_equal_rows_stay_as_they_were(descending: bool) -> None:
    rows = [Thing(name, 0.5) for name in "cab"]
    assert names(sort_rows(rows, COLUMNS[1], SNAPSHOT, descending=descending)) == ["c", "a", "b"]


@given(st.lists(st.text()))
def test_any_names_can_be_sorted(found: list[str]) -> None:
    rows = sort_rows([Thing(name) for name in found], COLUMNS[0], SNAPSHOT)
    assert sorted(names(rows), key=str) == sorted(found)
    keys = [natural_key(row.name or "") for row in rows]
    assert keys == sorted(keys)


def test_thousands_of_digits_can_be_sorted() -> None:
    assert natural_key("9" * 10_000) < natural_key("x")


def test_twenty_thousand_rows_are_filtered_and_sorted_quickly() -> None:
    snapshot = ClusterSnapshot(taken_at=100_000.0)
    jobs = [
        Job(id=str(number), user=f"u{number % 50}", name=f"train-{number}", state="running", started_at=float(number))
        for number in range(20_000)
    ]
    began = time.process_time()
    chosen = parse_filter("train user:u7", JOB_COLUMNS)
    found = [job for job in jobs if chosen.matches(job, snapshot)]
    ordered = sort_rows(jobs, by_key(JOB_COLUMNS)["name"], snapshot, descending=True)
    assert time.process_time() - began < 2
    assert len(found) == 400
    assert ordered[0].name == "train-19999"
