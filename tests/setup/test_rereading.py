"""What reads its files anew while it runs is neither stopped nor made anew when only these change."""

from __future__ import annotations

from dataclasses import replace

from gpumon_setup.facts import ContainerState, FileState, Record, State, UnitState
from gpumon_setup.host import Action, RunCommand, digest_of
from gpumon_setup.resources import Container, Directory, File, Unit, in_engine

OLD = Container("gpumon-x", "x:1", reads=("old",), signal="HUP")
NEW = replace(OLD, reads=("new",))
FILE = File("/etc/systemd/system/x.service", b"[Service]\n")
OLD_UNIT = Unit("x.service", FILE, ("old",), ("reload", "x"))
NEW_UNIT = replace(OLD_UNIT, reads=("new",))


def commands(actions: tuple[Action, ...]) -> list[tuple[str, ...]]:
    """The command lines among actions."""
    return [action.argv for action in actions if isinstance(action, RunCommand)]


def running(made: Container, *, is_running: bool = True) -> State:
    """A machine on which this container was made."""
    detail = "\n".join((made.described(), *(made.reads if made.signal else ())))
    record = Record("container", made.name, "part", made.spec, detail)
    now = ContainerState(made.name, "docker", is_running, made.image, made.spec, is_ours=True)
    return State(containers={made.name: now}, made={("container", made.name): record})


def active(made: Unit, content: bytes = FILE.content, *, spec: str | None = None) -> State:
    """A machine on which this unit was started."""
    record = Record("unit", made.name, "part", made.spec if spec is None else spec)
    file = FileState(FILE.path, True, 0o644, "root:root", "0:0", digest_of(content), content)
    unit = UnitState(made.name, "loaded", "active", is_enabled=True)
    return State(files={FILE.path: file}, units={made.name: unit}, made={("unit", made.name): record})


def test_a_container_with_a_signal_gets_it_when_only_its_files_changed() -> None:
    state = running(OLD)
    assert OLD.missing(state) is None
    missing = NEW.missing(state)
    assert missing is not None
    assert missing.words == "let gpumon-x read its files anew"
    assert commands(NEW.actions(state, "part")) == [("docker", "kill", "--signal=HUP", "gpumon-x")]
    assert NEW.missing(running(NEW)) is None


def test_a_container_that_stands_still_reads_them_when_it_starts() -> None:
    state = running(OLD, is_running=False)
    assert commands(NEW.actions(state, "part")) == [("docker", "start", "gpumon-x")]


def test_a_container_is_made_anew_when_anything_else_changed_or_when_it_knows_no_signal() -> None:
    for before, after in ((OLD, replace(NEW, image="x:2")), (replace(OLD, signal=""), replace(NEW, signal=""))):
        missing = after.missing(running(before))
        assert missing is not None
        assert "anew" in missing.words
        assert commands(after.actions(running(before), "part"))[0][:2] == ("docker", "stop")


def test_podmans_unit_passes_the_signal_on() -> None:
    *_, unit = in_engine(OLD, "podman")
    assert isinstance(unit, Unit)
    assert unit.reload == ("podman", "kill", "--signal=HUP", "gpumon-x")


def test_a_unit_is_reloaded_when_only_what_it_reads_changed() -> None:
    missing = NEW_UNIT.missing(active(OLD_UNIT))
    assert missing is not None
    assert missing.words == "reload x.service"
    assert commands(NEW_UNIT.actions(active(OLD_UNIT), "part")) == [("reload", "x")]


def test_a_unit_is_restarted_when_its_own_file_changed_or_a_start_was_cut_short() -> None:
    for state in (active(OLD_UNIT, b"[Service]\nelder\n"), active(OLD_UNIT, spec="")):
        missing = NEW_UNIT.missing(state)
        assert missing is not None
        assert missing.words == "restart x.service"
        assert commands(NEW_UNIT.actions(state, "part"))[-1] == ("systemctl", "restart", "x.service")


def test_the_first_start_of_a_unit_disturbs_nobody_whatever_a_run_before_left_of_its_file() -> None:
    elder = FileState(FILE.path, True, 0o644, "root:root", "0:0", digest_of(b"elder"), b"elder")
    for is_outdated in (False, True):
        never_started = UnitState(NEW_UNIT.name, "loaded", "inactive", is_outdated=is_outdated)
        state = State(files={FILE.path: elder}, units={NEW_UNIT.name: never_started})
        missing = NEW_UNIT.missing(state)
        assert missing is not None
        assert (missing.words, missing.is_disruptive) == ("enable and start x.service", False)
        assert ("systemctl", "daemon-reload") not in commands(NEW_UNIT.actions(state, "part"))
    for held in (replace(never_started, active="failed"), replace(never_started, is_enabled=True)):
        missing = NEW_UNIT.missing(replace(state, units={NEW_UNIT.name: held}))
        assert missing is not None
        assert missing.is_disruptive


def test_data_follow_their_directory_to_another_owner() -> None:
    for holds_data in (True, False):
        folder = Directory("/var/lib/x", owner="7:7", holds_data=holds_data)
        now = State(files={"/var/lib/x": FileState("/var/lib/x", True, 0o755, "a:a", "5:5")})
        expected = [("chown", "-hR", "7:7", "/var/lib/x")] if holds_data else []
        assert commands(folder.actions(now, "part")) == expected
        same = State(files={"/var/lib/x": FileState("/var/lib/x", True, 0o700, "b:b", "7:7")})
        assert commands(folder.actions(same, "part")) == []
