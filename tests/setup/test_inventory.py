"""The inventory: hostlists, every mistake at once, and the first draft from Slurm or /etc/hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpumon.config.keys import Key
from gpumon.errors import ConfigError
from gpumon_setup.inventory import NoHostlist, Role, expanded, from_hosts, from_slurm, load_inventory
from gpumon_setup.inventory.drafting import folded
from gpumon_setup.inventory.keys import port

COMPONENTS = {"node_exporter": (Key("port", port, "port"),), "hosts": ()}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("head", ["head"]),
        ("gpu[1-3]", ["gpu1", "gpu2", "gpu3"]),
        ("gpu[08-10,12], head", ["gpu08", "gpu09", "gpu10", "gpu12", "head"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("a1.example.org,a1.example.org", ["a1.example.org"]),
    ],
)
def test_a_hostlist_means_its_names(text: str, names: list[str]) -> None:
    assert expanded(text) == tuple(names)


@pytest.mark.parametrize(
    "text", ["", ",", "a[1-2", "a]1", "a[2-1]", "a[x]", "a b", "a;b", "$(x)", "-a", "a[1-99999]", "a[[1]]", "a/b"]
)
def test_what_is_no_hostlist_is_refused(text: str) -> None:
    with pytest.raises(NoHostlist):
        expanded(text)


@pytest.mark.parametrize(
    "names", [["gpu1", "gpu2"], ["n08", "n09", "n10", "head", "n1"], ["a"], ["x9", "x10", "x11", "x100"]]
)
def test_folded_names_mean_the_same(names: list[str]) -> None:
    assert expanded(",".join(folded(names))) == tuple(names)


def test_sixteen_nodes_are_one_word() -> None:
    assert folded([f"gpu{number:02}" for number in range(1, 17)]) == ("gpu[01-16]",)


def loaded(folder: Path, text: str) -> object:
    file = folder / "config.toml"
    file.write_text(text)
    return load_inventory(file, COMPONENTS, environ={})


def test_machines_take_what_is_said_for_all_unless_they_say_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[setup]\nmaster = "head"\nnodes = ["gpu[1-2]", "head"]\ncontroller = "ctl"\nuser = "ops"\njump = "gate"\n'
        'local = true\n[setup.machines.gpu2]\naddress = "10.0.0.2"\nport = 2222\nuser = "root"\n'
        "[setup.node_exporter]\nport = 9101\n"
    )
    inventory = load_inventory(file, COMPONENTS, environ={})
    assert [machine.name for machine in inventory.machines] == ["head", "ctl", "gpu1", "gpu2"]
    assert inventory.master.roles == {Role.MASTER, Role.NODE}
    assert inventory.master.is_local
    other = inventory.machine("gpu2")
    assert other is not None
    assert (other.address, other.port, other.user, other.jump) == ("10.0.0.2", 2222, "root", "gate")
    assert inventory.sections["node_exporter"] == {"port": 9101}


def test_every_mistake_is_told_at_once_with_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(
            tmp_path,
            '[setup]\nmaster = 3\nnodes = ["gpu[1-"]\nusr = "x"\nengine = "lxc"\nport = 70000\njump = "a b"\n'
            'without = ["grafna"]\nuser = "x; rm -rf /"\n[setup.machines.gpu9]\nadress = "x"\n'
            "[setup.node_exporter]\nport = true\n",
        )
    told = "\n".join(raised.value.mistakes)
    for part in (
        "setup.master: found 3",
        'setup.nodes: found "gpu[1-"',
        "setup.usr: unknown key; did you mean setup.user?",
        'setup.engine: found "lxc"',
        "setup.port: found 70000",
        "setup.jump:",
        'setup.without: found "grafna"',
        'setup.user: found "x; rm -rf /"',
        "setup.machines.gpu9.adress: unknown key; did you mean setup.machines.gpu9.address?",
        "setup.node_exporter.port: found true",
    ):
        assert part in told
    assert "expected the name of the machine that gathers all" not in told


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", r"gpumon setup init"),
        ("setup = 3\n", r"expected a section \[setup\]|found nothing"),
        ("[setup]\n", "setup.master: found nothing"),
        ('[setup]\nmaster = "h"\nnodes = ["a"]\n[setup.machines.b]\n', "there is no machine of this name"),
        ("[setup", "is not TOML"),
    ],
)
def test_a_setup_that_is_none_is_told(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        loaded(tmp_path, text)


def test_a_draft_from_slurm_can_be_loaded(tmp_path: Path) -> None:
    told = (
        "NodeName=gpu01 NodeAddr=10.0.0.1 NodeHostName=gpu01 State=IDLE\n"
        "NodeName=gpu02 NodeAddr=gpu02 NodeHostName=gpu02 State=DOWN*\nNodeName=f[1] State=FUTURE\nNodeName=x;y\n"
    )
    draft = from_slurm(told, "head", is_local=True)
    file = tmp_path / "config.toml"
    file.write_text(draft.text())
    inventory = load_inventory(file, COMPONENTS, environ={})
    assert [(machine.name, machine.address) for machine in inventory.machines] == [
        ("head", ""), ("gpu01", "10.0.0.1"), ("gpu02", ""),
    ]  # fmt: skip
    assert inventory.master.is_local


def test_a_draft_from_hosts_names_machines_and_not_the_loopback() -> None:
    text = "127.0.0.1 localhost\n127.0.1.1 head\n::1 ip6\n10.0.0.2 gpu1.example.org gpu1 # first\n10.0.0.1 head\n"
    draft = from_hosts(text, "head", is_local=False)
    assert draft.nodes == ("gpu1",)
    assert draft.addresses == (("gpu1", "10.0.0.2"),)
