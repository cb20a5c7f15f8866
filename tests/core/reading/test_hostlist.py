"""Hostlists become the names that Slurm means, and a forged one costs nothing."""

from __future__ import annotations

import pytest

from gpumon.reading.hostlist import MOST, hosts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("gpu01", ("gpu01",)),
        ("gpu[01-03,07],login1", ("gpu01", "gpu02", "gpu03", "gpu07", "login1")),
        ("gpu[8-11]", ("gpu8", "gpu9", "gpu10", "gpu11")),
        ("rack[1-2]n[01-02]", ("rack1n01", "rack1n02", "rack2n01", "rack2n02")),
        ("n[1-2]-ib", ("n1-ib", "n2-ib")),
        ("gpu-a01,gpu-a[02-03].lab", ("gpu-a01", "gpu-a02.lab", "gpu-a03.lab")),
        ("n[5-3]", ()),
        ("n[a-b]", ("na-b",)),
    ],
)
def test_a_hostlist_is_its_names(text: str, names: tuple[str, ...]) -> None:
    assert hosts(text) == names


@pytest.mark.parametrize(
    "text", ["n[1-99999999999]", "a[1-60000]b[1-60000]", "n[1-70000]", "[", "]]][", "n[1-2", ",,,"]
)
def test_a_forged_hostlist_costs_little_and_breaks_nothing(text: str) -> None:
    assert len(hosts(text)) <= MOST
