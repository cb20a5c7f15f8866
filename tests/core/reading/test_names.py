"""Every spelling of a node's name leads to one node."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpumon.reading.names import NodeNames, host_of, is_container_id


@pytest.mark.parametrize(
    "labels",
    [
        {"instance": "server-a:9100"},
        {"instance": "server-a"},
        {"instance": "server-a.lab.example:9400"},
        {"hostname": "server-a", "instance": "10.0.0.7:9400"},
        {"hostname": "server-a.lab.example", "instance": "server-a:9400"},
        {"node": "server-a", "hostname": "3f546054f69d", "instance": "172.17.0.2:9400"},
        {"hostname": "3f546054f69d", "instance": "server-a:9400"},
        {"hostname": "nvidia-dcgm-exporter-x7k2p", "instance": "server-a:9400"},
        {"instance": "http://server-a:9100/metrics"},
        {"instance": "SERVER-A:9100"},
        {"instance": "server-a.:9100"},
    ],
)
def test_every_spelling_is_one_node(labels: dict[str, str]) -> None:
    assert NodeNames(["server-a"]).of(**labels) == "server-a"


def test_an_address_gives_way_to_the_name_the_machine_reports() -> None:
    names = NodeNames(reported={"10.0.0.7": "gpu07.cluster", "localhost": "head"})
    assert names.of(instance="10.0.0.7:9400") == "gpu07"
    assert names.of(hostname="3f546054f69d", instance="10.0.0.7:9400") == "gpu07"
    assert names.of(instance="localhost:9100") == "head"


def test_an_address_that_nobody_names_stays_whole() -> None:
    names = NodeNames()
    assert names.of(instance="10.0.0.7:9400") == "10.0.0.7"
    assert names.of(instance="[fd00::7]:9400") == "fd00::7"


def test_two_machines_of_one_short_name_stay_two() -> None:
    names = NodeNames()
    first, second = names.of(instance="gpu01.east.example:9100"), names.of(instance="gpu01.west.example:9100")
    assert (first, second) == ("gpu01", "gpu01.west.example")


def test_slurms_case_wins() -> None:
    names = NodeNames(["GPU01"])
    assert names.of(hostname="gpu01") == "GPU01"


def test_the_spellings_are_remembered_for_the_doctor() -> None:
    names = NodeNames()
    names.of(instance="gpu01.lab:9100")
    names.of(hostname="gpu01")
    assert names.spellings["gpu01"] == {"gpu01", "gpu01.lab"}


def test_nothing_names_no_node() -> None:
    assert NodeNames().of() == ""


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("3f546054f69d", True),
        ("a" * 64, True),
        ("deadbeef", False),
        ("cafe-01", False),
        ("gpu-operator-dcgm-exporter-abcde", True),
    ],
)
def test_a_container_id_is_told_from_a_name(name: str, is_one: bool) -> None:
    assert is_container_id(name) is is_one


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_no_label_breaks_a_name(node: str, hostname: str, instance: str) -> None:
    assert isinstance(NodeNames([node]).of(node=node, hostname=hostname, instance=instance), str)
    assert isinstance(host_of(instance), str)
