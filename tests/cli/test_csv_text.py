"""CSV: one record a row, true text, base units."""

from __future__ import annotations

import csv

from hypothesis import given
from hypothesis import strategies as st

from cli_handmade import GIB, cluster, gpu, job
from gpumon.columns import GPU_COLUMNS, JOB_COLUMNS, by_key
from gpumon.model import ClusterSnapshot
from gpumon_cli.csv_text import csv_lines


def lines(*keys: str, to_terminal: bool = False, has_header: bool = True) -> list[str]:
    snapshot = cluster()
    columns = tuple(by_key(GPU_COLUMNS)[key] for key in keys)
    return list(csv_lines(snapshot.gpus, columns, snapshot, has_header=has_header, to_terminal=to_terminal))


def test_the_head_is_the_columns_keys() -> None:
    assert lines("node", "used")[0] == "node,used"


def test_numbers_are_in_base_units() -> None:
    assert lines("util", "used", "temp")[1] == f"0.9,{int(40 * GIB)},71"


def test_what_is_unknown_is_an_empty_field() -> None:
    assert lines("node", "sm")[1] == "gpu1,"


def test_no_header_leaves_records_only() -> None:
    assert lines("node", has_header=False)[0] == "gpu1"


def test_a_formula_stays_what_its_author_wrote() -> None:
    (line,) = csv_lines(
        [job(1, name="=1+1")],
        [by_key(JOB_COLUMNS)["name"]],
        ClusterSnapshot(),
        has_header=False,
        to_terminal=False,
    )
    assert line == "=1+1"


def test_a_terminal_is_never_sent_an_escape_sequence() -> None:
    (line,) = csv_lines(
        [gpu("evil\x1b[2J\n", 0)],
        [by_key(GPU_COLUMNS)["node"]],
        ClusterSnapshot(),
        has_header=False,
        to_terminal=True,
    )
    assert line == "evil\\e[2J\\n"


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.floats(0, 1e12))))
def test_every_text_and_number_is_read_back_as_it_was(values: list[tuple[str, float]]) -> None:
    rows = [job(number, name=name, gpus=float(count)) for number, (name, count) in enumerate(values)]
    columns = [by_key(JOB_COLUMNS)[key] for key in ("job", "name", "gpus")]
    text = "".join(
        f"{line}\n" for line in csv_lines(rows, columns, ClusterSnapshot(), has_header=False, to_terminal=False)
    )
    records = list(csv.reader(_chunks(text), strict=True))
    assert [(name, float(count)) for _, name, count in records] == values


def _chunks(text: str) -> list[str]:
    """Lines as a file opened with newline="" yields them: ended by \\n only."""
    return [f"{line}\n" for line in text.split("\n")[:-1]]
