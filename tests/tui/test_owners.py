"""The map coloured by who holds what: letters that stay, and a legend that names them."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from clusters import gpu, job, of_gpus, queued
from gpumon.model import ClusterSnapshot
from gpumon_tui.owners import OTHERS, SHARED, Colouring, Owners
from gpumon_tui.widgets.cell_looks import CELL_LOOKS
from gpumon_tui.widgets.heatmap import GpuHeatmap
from tui_scripted import SIZES, dashboard, first_picture, next_picture, seen, seen_of


def met(snapshot: ClusterSnapshot, colouring: Colouring = Colouring.USER) -> Owners:
    owners = Owners()
    owners.meet(snapshot, colouring)
    return owners


def test_everybody_has_a_letter_of_the_own_name_where_it_is_free() -> None:
    owners = met(queued())
    assert {user: owners.letter(user) for user in owners.counts} == {"ann": "A", "bob": "B", "eve": "E", "dan": "D"}
    assert dict(owners.counts) == {"ann": 2, "bob": 2, "eve": 2, "dan": 1}


def test_a_letter_stays_while_its_owner_holds_anything() -> None:
    owners = met(of_gpus(gpu("n", 0, jobs=("1",)), jobs=(job(1, user="zoe"),)))
    more = of_gpus(*(gpu("n", index, jobs=(str(1 + (index > 0)),)) for index in range(9)),
                   jobs=(job(1, user="zoe"), job(2, user="zed")))  # fmt: skip
    owners.meet(more, Colouring.USER)
    assert owners.letter("zoe") == "Z"
    assert owners.letter("zed") == "E"
    owners.meet(replace(more, gpus=more.gpus[1:]), Colouring.USER)
    assert owners.letter("zoe") == OTHERS


def test_owners_beyond_the_alphabet_share_a_sign_and_keep_a_colour() -> None:
    many = of_gpus(*(gpu("n", index, jobs=(str(index),)) for index in range(40)))
    owners = met(many, Colouring.JOB)
    signs = [owners.cell((str(index),), is_idle=False) for index in range(40)]
    assert sum(sign == OTHERS for sign, _ in signs) == 14
    assert {style for _, style in signs} <= CELL_LOOKS.keys()


def test_idle_and_shared_cells_differ_without_colour_too() -> None:
    owners = met(queued())
    assert owners.cell(("ann",), is_idle=False)[0] == "A"
    assert owners.cell(("ann",), is_idle=True)[0] == "a"
    assert owners.cell(("ann", "bob"), is_idle=False)[0] == SHARED


async def heatmap(*keys: str, size: tuple[int, int] = (120, 40)) -> list[str]:
    app = dashboard(queued())
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        await pilot.press(*keys)
        await pilot.pause()
        return seen_of(app, GpuHeatmap)


@pytest.mark.thorough
@pytest.mark.parametrize("size", SIZES)
async def test_a_key_colours_the_map_by_user_and_then_by_job(size: tuple[int, int]) -> None:
    by_user = await heatmap("o", size=size)
    for words in ("by user:", "A ann 2", "B bob 2", "E eve 2", "free"):
        assert words in by_user[0]
    assert by_user[1].split()[2:] == ["A", "A", "b", "b"]
    assert by_user[2].split()[2:] == ["E", "E", "D", "·"]
    by_job = await heatmap("o", "o", size=size)
    assert "by job:" in by_job[0]
    assert by_job[2].split()[4] == SHARED
    assert "idle, held" in (await heatmap("o", "o", "o", size=size))[0]


async def test_what_nobody_knows_is_a_question_mark_and_silence_a_cross() -> None:
    told = queued()
    gpus = (msgspec.structs.replace(told.gpus[0], jobs=None), msgspec.structs.replace(told.gpus[1], is_stale=True))
    app = dashboard(replace(told, gpus=(*gpus, *told.gpus[2:])))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("o")
        await pilot.pause()
        row = next(line for line in seen(app).splitlines() if line.startswith(" gpu1"))
        assert row.split()[2:4] == ["?", "×"]


async def test_a_refresh_keeps_the_colouring() -> None:
    app = dashboard(queued(), queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("o")
        await next_picture(pilot)
        assert "by user:" in seen(app)


def test_those_with_the_most_gpus_have_colours_of_their_own_which_stay() -> None:
    many = of_gpus(*(gpu("n", index, jobs=(str(index % 12),)) for index in range(24)))
    owners = met(many, Colouring.JOB)
    colours = {owner: owners.cell((owner,), is_idle=False)[1] for owner in owners.counts}
    assert len(set(colours.values())) == 12
    owners.meet(replace(many, gpus=many.gpus[3:]), Colouring.JOB)
    assert {owner: owners.cell((owner,), is_idle=False)[1] for owner in owners.counts} == colours
