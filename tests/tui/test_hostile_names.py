"""Names that strangers chose: no screen breaks, and no control character reaches the terminal."""

from __future__ import annotations

import asyncio
import unicodedata

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from clusters import HOSTILE, hostile, troubled
from gpumon.model import ClusterSnapshot
from tui_scripted import SIZES, dashboard, first_picture, next_picture, seen

pytestmark = pytest.mark.thorough  # each test plays on a whole screen

_ODD = ("[/foo] job", "[@click=app.quit]x[/]", "\x1b]0;title\x07", "\x9b31m", "a\u202eb", "e\u0301" * 50, "\ud800")
_NASTY = st.sampled_from([*HOSTILE, *_ODD, "宽" * 150])
names = st.one_of(_NASTY, st.text(max_size=300))


def renamed(name: str) -> ClusterSnapshot:
    """The troubled cluster in which everything that has a name has this one."""
    whole = troubled()
    jobs = tuple(
        msgspec.structs.replace(
            job, user=name, account=name, partition=name, name=name, reason=name, nodes=name, qos=name
        )
        for job in whole.jobs or ()
    )
    nodes = tuple(
        msgspec.structs.replace(
            node,
            name=f"{name}{number}",
            slurm=node.slurm and msgspec.structs.replace(node.slurm, state=name, reason=name, flags=("drain", name)),
        )
        for number, node in enumerate(whole.nodes)
    )
    by_old = {old.name: new.name for old, new in zip(whole.nodes, nodes, strict=True)}
    gpus = tuple(
        msgspec.structs.replace(gpu, device=msgspec.structs.replace(gpu.device, node=by_old[gpu.node], model=name))
        for gpu in whole.gpus
    )
    return replace(
        whole,
        cluster=name,
        source=name,
        gpus=gpus,
        nodes=nodes,
        jobs=jobs,
        partitions=tuple(replace(each, name=name) for each in whole.partitions),
        users=tuple(replace(each, name=name) for each in whole.users),
        accounts=tuple(replace(each, name=name) for each in whole.accounts),
        alerts=tuple(replace(each, name=name, summary=name, node=name, severity=name) for each in whole.alerts or ()),
        targets=tuple(replace(each, health="down", last_error=name, instance=name) for each in whole.targets or ()),
        dialects=tuple(replace(each, name=name, variant=name) for each in whole.dialects),
        problems=tuple(replace(each, text=name, advice=name) for each in whole.problems),
    )


def is_clean(screen: str, size: tuple[int, int]) -> bool:
    lines = screen.split("\n")
    kinds = {unicodedata.category(letter) for letter in screen if letter != "\n"}
    bidi = set(screen) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    return kinds.isdisjoint({"Cc", "Cs", "Zl", "Zp"}) and not bidi and len(lines) == size[1]


@pytest.mark.thorough
@given(name=names)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_name_can_stand_on_every_screen(name: str) -> None:
    asyncio.run(walk(renamed(name), (120, 40)))


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names_leave_every_screen_whole(size: tuple[int, int]) -> None:
    await walk(hostile(), size)


async def walk(snapshot: ClusterSnapshot, size: tuple[int, int]) -> None:
    """Opens every view on the snapshot, moves about, refreshes and looks at all of it."""
    app = dashboard(snapshot)
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        for key in "123456":
            await pilot.press(key, "j", "s", "l", "G")
            await next_picture(pilot)
            assert is_clean(seen(app), size)
        for keys in ("1o", "o", "4bgj\n", "\bG\n", "\b6\n"):
            await pilot.press(*({"\n": "enter", "\b": "escape"}.get(key, key) for key in keys))
            await next_picture(pilot)
            assert is_clean(seen(app), size)


async def test_markup_is_shown_as_it_was_written() -> None:
    app = dashboard(renamed("[/foo] job"))
    async with app.run_test(size=(200, 50)) as pilot:
        await first_picture(pilot)
        for key in "123456":
            await pilot.press(key)
            await pilot.pause()
            assert "[/foo] job" in seen(app)
