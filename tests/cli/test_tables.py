"""Tables that fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cli_handmade import cluster, gpu, job
from gpumon.columns import GPU_COLUMNS, JOB_COLUMNS, by_key
from gpumon.model import ClusterSnapshot, Gpu, Job
from gpumon.units import Units
from gpumon_cli.cells import width
from gpumon_cli.tables import Table, draw
from gpumon_cli.terminal import Terminal

PIPE = Terminal()
COLUMNS = by_key(GPU_COLUMNS)


def _dim(_: Gpu) -> str:
    return "dim"


def _dim_when_stale(row: Gpu) -> str:
    return "dim" if row.is_stale else ""


def gpus(*keys: str, rows: tuple[Gpu, ...] | None = None, **settings: object) -> Table[Gpu]:
    snapshot = cluster()
    chosen = tuple(COLUMNS[key] for key in keys) if keys else GPU_COLUMNS
    shown = snapshot.gpus if rows is None else rows
    return Table(chosen, shown, snapshot, Units(), **settings)  # type: ignore[arg-type]  # a test names any setting


def test_a_pipe_gets_every_column_whole() -> None:
    drawn = draw(gpus(rows=(gpu("n" * 300, 0),)), PIPE)
    assert "n" * 300 in drawn.lines[1]
    assert not drawn.left_out


def test_numbers_stand_at_the_right_and_texts_at_the_left() -> None:
    drawn = draw(gpus("node", "util"), PIPE)
    assert drawn.lines == ("NODE   UTIL", "gpu1    90%", "gpu1     0%", "gpu10   30%", "gpu10   50%")


def test_what_is_unknown_is_a_dash_and_not_zero() -> None:
    drawn = draw(gpus("node", "sm"), PIPE)
    assert drawn.lines[1].split() == ["gpu1", "–"]


def test_a_free_gpu_has_a_blank_where_an_unknown_holder_is_a_dash() -> None:
    drawn = draw(gpus("user", has_header=False), PIPE)
    assert drawn.lines == ("ann", "", "–", "–")


def test_a_narrow_terminal_does_without_spare_columns_and_names_them() -> None:
    drawn = draw(gpus(spare=("known", "total", "xid", "dram", "tensor", "account", "idle")), Terminal(columns=80))
    assert set(drawn.left_out) == {"TOTAL", "XID", "DRAM", "TENSOR", "ACCOUNT"}
    assert max(map(width, drawn.lines)) <= 80
    assert "NODE" in drawn.lines[0]


def test_spare_columns_go_before_a_text_is_cut() -> None:
    columns = [by_key(JOB_COLUMNS)[key] for key in ("job", "qos", "name")]
    rows = (job(1, name="a-name-of-21-letters!"),)
    drawn = draw(Table(columns, rows, ClusterSnapshot(), Units(), spare=("qos",)), Terminal(columns=30))
    assert drawn.left_out == ("QOS",)
    assert drawn.lines[1] == "1    a-name-of-21-letters!"


def test_columns_in_which_nothing_stands_go_first_and_are_not_missed() -> None:
    columns = [by_key(JOB_COLUMNS)[key] for key in ("job", "idle", "qos", "name")]
    table = Table(columns, (job(1, name="a-name"),), ClusterSnapshot(), Units(), spare=("qos",))
    drawn = draw(table, Terminal(columns=20))
    assert drawn.lines == ("JOB  QOS     NAME", "1    normal  a-name")
    assert drawn.left_out == ()
    assert "IDLE" in draw(table, Terminal(columns=30)).lines[0]


def test_a_long_name_gives_way_before_the_line_is_too_long() -> None:
    drawn = draw(gpus("node", "util", rows=(gpu("n" * 300, 0),)), Terminal(columns=40))
    assert width(drawn.lines[1]) == 40
    assert "…" in drawn.lines[1]


def test_there_is_no_colour_without_a_terminal() -> None:
    drawn = draw(gpus(style=_dim), PIPE)
    assert "\x1b" not in "".join(drawn.lines)


def test_a_stale_row_is_dim_on_a_terminal_with_colour() -> None:
    drawn = draw(gpus("node", style=_dim_when_stale), Terminal(True, True, 80, 24))
    assert drawn.lines[4] == "\x1b[2mgpu10\x1b[0m"
    assert drawn.lines[3] == "gpu10"


def test_no_header_leaves_rows_only() -> None:
    assert draw(gpus("node", has_header=False), PIPE).lines[0] == "gpu1"


def test_a_table_without_rows_is_its_titles() -> None:
    assert draw(gpus("node", rows=()), PIPE).lines == ("NODE",)


@given(st.text(), st.integers(20, 200))
def test_no_name_breaks_a_line_or_sends_an_escape_sequence(name: str, columns: int) -> None:
    table: Table[Job] = Table(JOB_COLUMNS, (job(1, name=name, user=name),), ClusterSnapshot(), Units())
    for screen in (PIPE, Terminal(columns=columns)):
        lines = draw(table, screen).lines
        assert len(lines) == 2
        assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for line in lines for letter in line)
        assert all(len(line.splitlines()) <= 1 for line in lines)
