"""Nodes in a configuration that somebody wrote: what is not theirs stays to the letter, or nothing is touched."""

from __future__ import annotations

import pytest

from gpumon_setup.inventory import CannotEdit, with_nodes

FILE = """\
theme = "dark"   # mine
[setup]
master = "head"
nodes = ["gpu[1-2]"]  # the old rack
user = "ops"

# where gpu2 is
[setup.machines.gpu2]
address = "10.0.0.2"
port = 2222

[setup.machines."gpu1"]
address = "10.0.0.1"

# who
# gathers
[prometheus]
url = "http://head:9090"
nodes = 3
"""


def test_a_new_node_changes_one_line() -> None:
    before, after = FILE.splitlines(), with_nodes(FILE, ["gpu1", "gpu2", "gpu3"]).splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [('nodes = ["gpu[1-2]"]  # the old rack', 'nodes = ["gpu[1-3]"]  # the old rack')]


def test_a_new_node_brings_its_address() -> None:
    after = with_nodes(FILE, ["gpu1", "gpu2", "x.y"], addresses={"x.y": "10.0.0.9"})
    assert after.endswith('nodes = 3\n\n[setup.machines."x.y"]\naddress = "10.0.0.9"\n')


def test_a_removed_node_takes_its_own_section_along() -> None:
    after = with_nodes(FILE, ["gpu2"])
    assert "10.0.0.1" not in after
    assert 'nodes = ["gpu2"]  # the old rack' in after
    assert "# where gpu2 is" in after
    assert after.endswith('port = 2222\n\n# who\n# gathers\n[prometheus]\nurl = "http://head:9090"\nnodes = 3\n')


def test_a_last_section_leaves_no_hole() -> None:
    text = '[setup]\nnodes = ["a", "b"]\n\n[setup.machines.b]\nport = 1\n'
    assert with_nodes(text, ["a"]) == '[setup]\nnodes = ["a"]\n'


@pytest.mark.parametrize(
    "nodes", ['nodes = "gpu[1-2]"\n', 'nodes = [\n  "gpu1",\n  "gpu2",\n]\n', "nodes=['gpu1,gpu2']\n"]
)
def test_nodes_may_be_written_in_every_way(nodes: str) -> None:
    after = with_nodes(f'[setup]\n{nodes}master = "h"\n', ["gpu1", "gpu2", "gpu3"])
    assert after.endswith('= ["gpu[1-3]"]\nmaster = "h"\n')


@pytest.mark.parametrize(
    "text",
    [
        'setup = { master = "h", nodes = ["a"] }\n',
        'setup.master = "h"\nsetup.nodes = ["a"]\n',
        '[setup]\nnodes = [\n  "a",  # rack 1\n]\n',
        '[setup]\nnodes = ["a"]\nmachines = { a = { port = 1 } }\n',
        "[setup\n",
    ],
)
def test_what_would_touch_more_is_left_to_a_person(text: str) -> None:
    with pytest.raises(CannotEdit):
        with_nodes(text, ["b"])
