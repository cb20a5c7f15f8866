"""A hostlist stands for exactly the names that Slurm means, in Slurm's order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpumon_exporter.slurm.hostlist import MOST_NAMES, expand


@pytest.mark.parametrize(
    ("hostlist", "names"),
    [
        ("", ""),
        ("gpu01", "gpu01"),
        ("gpu[01-03]", "gpu01 gpu02 gpu03"),
        ("gpu[01-02,07]", "gpu01 gpu02 gpu07"),
        ("gpu[8-11]", "gpu8 gpu9 gpu10 gpu11"),
        ("gpu[08-11]", "gpu08 gpu09 gpu10 gpu11"),
        ("gpu[098-101]", "gpu098 gpu099 gpu100 gpu101"),
        ("gpu[1,003]", "gpu1 gpu003"),
        ("gpu04,mig01", "gpu04 mig01"),
        ("gpu[01,03],cpu[1-2],login", "gpu01 gpu03 cpu1 cpu2 login"),
        ("rack[1-2]node[3-4]", "rack1node3 rack1node4 rack2node3 rack2node4"),
        (
            "rack[1-2]node[3,5-6]-ib,x",
            "rack1node3-ib rack1node5-ib rack1node6-ib rack2node3-ib rack2node5-ib rack2node6-ib x",
        ),
        ("dgx-a[1-2].example.org", "dgx-a1.example.org dgx-a2.example.org"),
        ("gpu[7]", "gpu7"),
    ],
)
def test_names(hostlist: str, names: str) -> None:
    assert expand(hostlist) == tuple(names.split())


@pytest.mark.parametrize(
    "hostlist", ["gpu[01-03", "gpu01]", "gpu[]", "gpu[a-b]", "gpu[3-1]", "gpu[1-]", "gpu[1-2-3]", "a,,b", ",a", "[[1]]"]
)
def test_what_is_no_hostlist_is_refused(hostlist: str) -> None:
    with pytest.raises(ValueError, match="is no "):
        expand(hostlist)


@pytest.mark.parametrize(
    "hostlist", [f"n[1-{MOST_NAMES + 2}]", "n[1-1000]m[1-1000]", "n[1-60000],m[1-60000]", "n[1-999999999999999999]"]
)
def test_too_many_names_are_refused(hostlist: str) -> None:
    with pytest.raises(ValueError, match=r"more than|is no range"):
        expand(hostlist)


def written(name: str, numbers: list[int], width: int) -> str:
    """The numbers as ranges behind a name, as Slurm writes them."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    spelt = [f"{part[0]:0{width}}" if len(part) == 1 else f"{part[0]:0{width}}-{part[-1]:0{width}}" for part in ranges]
    return f"{name}[{','.join(spelt)}]"


names = st.from_regex(r"[a-z][a-z0-9.-]{0,6}[a-z-]", fullmatch=True)
numbers = st.sets(st.integers(0, 2000), min_size=1, max_size=30).map(sorted)


@given(st.lists(st.tuples(names, numbers, st.integers(1, 6)), max_size=4))
def test_what_slurm_shortens_is_whole_again(parts: list[tuple[str, list[int], int]]) -> None:
    hostlist = ",".join(written(*part) for part in parts)
    whole = tuple(f"{name}{number:0{width}}" for name, found, width in parts for number in found)
    assert expand(hostlist) == whole


@given(st.text(alphabet="ab01-,[]", max_size=12))
def test_any_text_is_expanded_or_refused(text: str) -> None:
    try:
        found = expand(text)
    except ValueError:
        return
    assert all(name and not set(name) & set("[],") for name in found)
