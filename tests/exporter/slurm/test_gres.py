"""GPUs and shards are read in every spelling that Slurm has for them."""

from __future__ import annotations

import pytest

from gpumon_exporter.slurm.gres import Gres, parse, share


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gpu:8", [Gres("gpu", "", 8, None)]),
        ("gpu:h100:8(S:0-1)", [Gres("gpu", "h100", 8, None)]),
        ("gpu:h100:4(IDX:0-3)", [Gres("gpu", "h100", 4, (0, 1, 2, 3))]),
        ("gpu:8(IDX:0,2-3,7)", [Gres("gpu", "", 8, (0, 2, 3, 7))]),
        ("gpu:h100:8(S:0-1)(IDX:0)", [Gres("gpu", "h100", 8, (0,))]),
        ("gpu:h100:0(IDX:N/A)", [Gres("gpu", "h100", 0, None)]),
        ("gpu:l40s:0(IDX:)", [Gres("gpu", "l40s", 0, ())]),
        ("gpu:a100_1g.5gb:3(IDX:7-9)", [Gres("gpu", "a100_1g.5gb", 3, (7, 8, 9))]),
        ("gpu:1080:2", [Gres("gpu", "1080", 2, None)]),
        ("gpu:tesla", [Gres("gpu", "tesla", 1, None)]),
        ("gpu", [Gres("gpu", "", 1, None)]),
        ("gres:gpu:2", [Gres("gpu", "", 2, None)]),
        ("gres/gpu:h100:4", [Gres("gpu", "h100", 4, None)]),
        ("gres/gpu=4", [Gres("gpu", "", 4, None)]),
        ("gpu:1K", [Gres("gpu", "", 1024, None)]),
        ("shard:3(IDX:1)", [Gres("shard", "", 3, (1,), is_by_card=True)]),
        ("shard:3(0/4,3/4,0/4)", [Gres("shard", "", 3, (1,))]),
        ("shard:a100:3(-/4,3/4,-/4,10/16)", [Gres("shard", "a100", 3, (1, 3))]),
        ("shard:0", [Gres("shard", "", 0, None)]),
        (
            "gpu:a100:1(IDX:0),gpu:l40s:2(IDX:4,6)",
            [Gres("gpu", "a100", 1, (0,)), Gres("gpu", "l40s", 2, (4, 6))],
        ),
        ("craynetwork:4,gpu:2,mps:100,lustre", [Gres("gpu", "", 2, None)]),
        ("gpus:2,xgpu:2,notgres:gpu:2", []),
        ("cpu=4", []),
        ("", []),
        ("(null)", []),
        ("N/A", []),
    ],
)
def test_spellings(text: str, found: list[Gres]) -> None:
    assert list(parse(text)) == found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("gpu:h100:1", "whole"),
        ("gpu:1", "whole"),
        ("gpu:a100_1g.5gb:1", "mig"),
        ("gpu:1g.10gb:1", "mig"),
        ("gpu:nvidia_h100_80gb_hbm3_3g.40gb:1", "mig"),
        ("gpu:a100_80gb:1", "whole"),
        ("shard:1", "shard"),
        ("shard:a100_1g.5gb:1", "shard"),
    ],
)
def test_a_share_is_seen_from_name_and_type(text: str, kind: str) -> None:
    assert [share(one) for one in parse(text)] == [kind]


def test_an_absurd_range_is_not_counted_out() -> None:
    (found,) = parse("gpu:1(IDX:0-999999999999)")
    assert len(found.indices or ()) < 10_000
