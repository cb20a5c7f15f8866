"""Single resources: what is missing, what brings it about, what takes it away, from states alone."""

from __future__ import annotations

import pytest

from gpumon_setup.facts import ContainerState, FileState, Firewall, Record, State, UnitState
from gpumon_setup.host import RemoveFile, RunCommand, WriteFile, digest_of
from gpumon_setup.resources import (
    Block,
    Container,
    Directory,
    File,
    FirewallRule,
    Unit,
    in_engine,
    rank,
    removal,
    without_data,
)
from gpumon_setup.resources.block import with_block
from gpumon_setup.resources.engine import systemd_quoted

CONTENT = b"wanted\n"


def seen(path: str, content: bytes | None, mode: int = 0o644, owner: str = "root:root") -> State:
    digest = digest_of(content) if content is not None else ""
    return State(files={path: FileState(path, True, mode, owner, "0:0", digest, content)})


@pytest.mark.parametrize("secret", [False, True])
def test_a_file_shows_its_difference_unless_it_is_secret(secret: bool) -> None:
    file = File("/etc/x", CONTENT, is_secret=secret)
    missing = file.missing(seen("/etc/x", b"now\n"))
    assert missing is not None
    assert missing.words == "replace /etc/x (a copy is kept)"
    assert ("-now" in missing.diff) is not secret
    assert ("+wanted" in missing.diff) is not secret
    assert ("wanted" in repr(file)) or not secret  # the plan itself holds what is written


def test_a_file_that_stood_there_already_is_not_ours() -> None:
    file = File("/etc/x", CONTENT)
    assert file.missing(seen("/etc/x", CONTENT)) is None
    missing = file.missing(seen("/etc/x", CONTENT, mode=0o600))
    assert missing is not None
    assert missing.words == "give /etc/x to root:root, mode 0644 (now root:root, 0600)"
    assert File("/etc/x", CONTENT, owner="0:0").missing(seen("/etc/x", CONTENT)) is None


def test_a_file_keeps_the_copy_of_what_stood_there_first() -> None:
    file = File("/etc/x", CONTENT)
    record, write = file.actions(seen("/etc/x", b"theirs"), "part")
    assert isinstance(write, WriteFile)
    assert write.backup.startswith("/var/lib/gpumon/setup/before/")
    assert write.was == digest_of(b"theirs")
    assert isinstance(record, WriteFile)
    known = Record("file", "/etc/x", "part", "00", backup=write.backup)
    later = State(files=seen("/etc/x", b"edited").files, made={("file", "/etc/x"): known})
    _, again = file.actions(later, "part")
    assert isinstance(again, WriteFile)
    assert again.backup == ""
    missing, actions = removal(known, later)
    assert missing.words == "put back what stood at /etc/x (it was edited by hand)"
    assert actions == (RemoveFile("/etc/x", write.backup), RemoveFile(known.path))


def test_something_else_in_the_place_is_an_obstacle() -> None:
    for resource in (File("/etc/x", CONTENT), Block("/etc/x", "hosts", ("a",))):
        missing = resource.missing(seen("/etc/x", None))
        assert missing is not None
        assert "is no file" in missing.obstacle
    missing = Directory("/etc/x").missing(seen("/etc/x", b"file"))
    assert missing is not None
    assert "is a file" in missing.obstacle


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"# BEGIN\n1\n# END\n"),
        (b"a\n", b"a\n# BEGIN\n1\n# END\n"),
        (b"a", b"a\n# BEGIN\n1\n# END\n"),
        (b"a\r\n# BEGIN\n0\n# END\nb\n", b"a\r\n# BEGIN\n1\n# END\nb\n"),
        (b"\xff\n", b"\xff\n# BEGIN\n1\n# END\n"),
    ],
)
def test_a_block_takes_its_place_and_leaves_all_else(before: bytes, after: bytes) -> None:
    begin = b"# BEGIN gpumon x: written by gpumon setup, changes inside are lost"
    full = before.replace(b"# BEGIN", begin).replace(b"# END", b"# END gpumon x")
    wanted = after.replace(b"# BEGIN", begin).replace(b"# END", b"# END gpumon x")
    assert with_block(full, "x", ("1",)) == wanted
    assert with_block(wanted, "x", ("1",)) == wanted
    assert b"gpumon" not in (with_block(wanted, "x", ()) or b"")


@pytest.mark.parametrize(
    "content", [b"# BEGIN gpumon x\n", b"# END gpumon x\n", b"# END gpumon x\n# BEGIN gpumon x\n",
                b"# BEGIN gpumon x\n# BEGIN gpumon x\n# END gpumon x\n# END gpumon x\n"],
)  # fmt: skip
def test_broken_marks_are_left_to_a_person(content: bytes) -> None:
    assert with_block(content, "x", ("1",)) is None


def test_blocks_of_other_names_are_left_alone() -> None:
    other = with_block(b"", "hosts-more", ("2",)) or b""
    both = with_block(other, "hosts", ("1",)) or b""
    assert with_block(both, "hosts", ()) == other


UNIT_FILE = File("/etc/systemd/system/gpumon-x.service", b"[Service]\n")
UNIT = Unit("gpumon-x.service", UNIT_FILE, ("00",))


def test_a_fresh_unit_starts_without_reading_all_others_anew() -> None:
    missing = UNIT.missing(State())
    assert missing is not None
    assert missing.words == "enable and start gpumon-x.service"
    assert not missing.is_disruptive
    commands = [action.argv for action in UNIT.actions(State(), "part") if isinstance(action, RunCommand)]
    assert ("systemctl", "daemon-reload") not in commands
    assert ("systemctl", "enable", "--no-reload", "gpumon-x.service") in commands


def test_a_changed_unit_file_disrupts_and_a_changed_configuration_does_not() -> None:
    running = UnitState("gpumon-x.service", "loaded", "active", is_enabled=True)
    made = {("unit", "gpumon-x.service"): Record("unit", "gpumon-x.service", "part", "elder")}
    files = seen(UNIT_FILE.path, UNIT_FILE.content).files
    restart = UNIT.missing(State(units={running.name: running}, files=files, made=made))
    assert restart is not None
    assert (restart.words, restart.is_disruptive) == ("restart gpumon-x.service", False)
    other = seen(UNIT_FILE.path, b"other").files
    reread = UNIT.missing(State(units={running.name: running}, files=other, made=made))
    assert reread is not None
    assert reread.is_disruptive


def test_a_unit_that_reloads_is_not_restarted() -> None:
    unit = Unit("gpumon-x.service", reload=("systemctl", "kill", "-s", "HUP", "gpumon-x.service"))
    running = UnitState("gpumon-x.service", "loaded", "active", is_enabled=True)
    state = State(units={running.name: running}, made={("unit", unit.name): Record("unit", unit.name, "part", "elder")})
    missing = unit.missing(state)
    assert missing is not None
    assert missing.words == "reload gpumon-x.service"
    assert RunCommand(unit.reload) in unit.actions(state, "part")


def test_a_masked_unit_is_an_obstacle() -> None:
    missing = UNIT.missing(State(units={UNIT.name: UnitState(UNIT.name, "masked")}))
    assert missing is not None
    assert "systemctl unmask gpumon-x.service" in missing.obstacle


CONTAINER = Container("gpumon-x", "quay.io/x:1", ("--flag=$1",), environment=(("A", "b"),), capabilities=("SYS_ADMIN",))


def test_a_container_is_made_anew_only_for_another_spec() -> None:
    same = ContainerState("gpumon-x", "docker", True, "quay.io/x:1", CONTAINER.spec, is_ours=True)
    assert CONTAINER.missing(State(containers={"gpumon-x": same})) is None
    stopped = ContainerState("gpumon-x", "docker", False, "quay.io/x:1", CONTAINER.spec, is_ours=True)
    missing = CONTAINER.missing(State(containers={"gpumon-x": stopped}))
    assert missing is not None
    assert missing.words == "start the container gpumon-x"
    other = Container("gpumon-x", "quay.io/x:2")
    assert other.spec != CONTAINER.spec
    assert other.missing(State(containers={"gpumon-x": same})) is not None
    assert Container("gpumon-x", "quay.io/x:2", reads=("00",)).spec != other.spec


def test_a_container_has_no_more_rights_than_it_asks_for() -> None:
    flags = CONTAINER.flags()
    assert "--cap-drop=ALL" in flags
    assert "--cap-add=SYS_ADMIN" in flags
    assert "--read-only" in flags
    assert "--security-opt=no-new-privileges" in flags
    run = next(action for action in CONTAINER.actions(State(), "part") if isinstance(action, RunCommand))
    assert "--restart=unless-stopped" in run.argv
    assert "--label=io.gpumon.managed=1" in run.argv


def test_podman_gets_a_unit_that_pulls_nothing_and_expands_nothing() -> None:
    _, file, unit = in_engine(CONTAINER, "podman")
    assert isinstance(file, File)
    assert isinstance(unit, Unit)
    text = file.content.decode()
    assert "--pull=never" in text
    assert "--flag=$$1" in text
    assert "pull" not in text.replace("--pull=never", "")


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("a", "a"), ("a b", '"a b"'), ("$x%", "$$x%%"), ('"', '"\\""'), ("\\", "\\\\"), ("", '""'), ("a;b", '"a;b"')],
)
def test_words_of_a_unit_are_quoted_for_systemd(word: str, quoted: str) -> None:
    assert systemd_quoted(word) == quoted


UFW = "ENABLED=yes\n### tuple ### allow tcp 9100 0.0.0.0/0 any 10.77.0.10 in comment=67756d6f6e\n"
FIREWALLD = 'public\n\trule family="ipv4" source address="10.77.0.10" port port="9100" protocol="tcp" accept\n'


@pytest.mark.parametrize("firewall", [Firewall("ufw", UFW), Firewall("firewalld", FIREWALLD)])
def test_a_rule_is_there_for_just_its_address_and_port(firewall: Firewall) -> None:
    assert FirewallRule(firewall, "10.77.0.10", 9100).missing(State()) is None
    for other in (FirewallRule(firewall, "10.77.0.1", 9100), FirewallRule(firewall, "10.77.0.10", 910)):
        missing = other.missing(State())
        assert missing is not None
        assert not missing.obstacle


def test_things_go_in_the_reverse_of_what_they_need() -> None:
    records = [
        Record("directory", "/a", "x"), Record("directory", "/a/b", "x"), Record("file", "/a/f", "x"),
        Record("unit", "theirs.service", "x", detail="was there"), Record("unit", "ours.service", "x"),
        Record("container", "c", "x"), Record("image", "i", "x"), Record("firewall", "ufw 1 1.1.1.1", "x"),
    ]  # fmt: skip
    assert [record.key for record in sorted(records, key=rank)] == [
        "ufw 1 1.1.1.1", "ours.service", "c", "i", "/a/f", "/a/b", "/a", "theirs.service",
    ]  # fmt: skip


def test_data_go_only_when_they_are_not_kept() -> None:
    data = Record("directory", "/var/lib/gpumon/prometheus", "prometheus", detail="data")
    assert "with all that is in it" in removal(data, State())[0].words
    password = Record("secret", "/etc/gpumon/grafana/password", "grafana")
    above, beside = (Record("directory", f"/etc/gpumon/{name}", "grafana") for name in ("grafana", "grafana2"))
    assert without_data([data, password, above, beside]) == [beside]


def test_what_a_newer_gpumon_made_is_left_to_it() -> None:
    missing, actions = removal(Record("hologram", "x", "y"), State())
    assert "newer gpumon" in missing.obstacle
    assert actions == ()
