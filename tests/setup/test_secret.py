"""A password is made once, on the machine, and is never told to anybody but to who must know it."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from gpumon_setup.facts import FileState, Record, State
from gpumon_setup.host import Action, RunCommand, WriteFile, digest_of
from gpumon_setup.resources import Secret, removal, without_data

ME = f"{os.getuid()}:{os.getgid()}"
PATH = "/etc/gpumon/service/password"
DATABASE = "/var/lib/gpumon/service/service.db"
SECRET = Secret(PATH, "472:0", DATABASE, ("service", "reset", "--from-stdin"))
WHOLE = Record("secret", PATH, "service", "made")
BEGUN = Record("secret", PATH, "service")


def state(*there: str, record: Record | None = None, mode: int = 0o600, content: bytes = b"secret\n") -> State:
    files = {path: FileState(path) for path in (PATH, DATABASE)}
    files |= {path: FileState(path, True, mode, "UNKNOWN:root", "472:0", digest_of(content)) for path in there}
    return State(files=files, made={} if record is None else {("secret", PATH): record})


def commands(actions: tuple[Action, ...]) -> list[tuple[str, ...]]:
    return [action.argv for action in actions if isinstance(action, RunCommand)]


def run(secret: Secret, now: State) -> None:
    """Runs a secret's commands on this very machine."""
    for argv in commands(secret.actions(now, "service")):
        subprocess.run(argv, check=True)


def test_a_password_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "password"
    run(Secret(str(file), ME), State(files={str(file): FileState(str(file))}))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text()) == 33
    assert file.read_text().strip().isalnum()
    assert [each.name for each in tmp_path.iterdir()] == ["password"]


def test_each_machine_has_another(tmp_path: Path) -> None:
    for name in ("a", "b"):
        path = str(tmp_path / name)
        run(Secret(path, ME), State(files={path: FileState(path)}))
    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_what_cannot_be_given_away_leaves_nothing_behind(tmp_path: Path) -> None:
    path = str(tmp_path / "password")
    secret = Secret(path, "nobody-of-this-name:root")
    with pytest.raises(subprocess.CalledProcessError):
        run(secret, State(files={path: FileState(path)}))
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_there_stays() -> None:
    assert SECRET.missing(state(PATH, record=WHOLE)) is None
    assert SECRET.missing(state(PATH, DATABASE, record=WHOLE)) is None


def test_one_that_others_can_read_is_given_to_its_owner_and_not_made_anew(tmp_path: Path) -> None:
    missing = SECRET.missing(state(PATH, record=WHOLE, mode=0o644))
    assert missing is not None
    assert "mode 0600 (now UNKNOWN:root, 0644)" in missing.words
    file = tmp_path / "password"
    file.write_text("mine\n")
    file.chmod(0o644)
    path = str(file)
    there = FileState(path, True, 0o644, ME, ME, digest_of(b"mine\n"))
    run(Secret(path, ME), State(files={path: there}, made={("secret", path): Record("secret", path, "a", "made")}))
    assert file.read_text() == "mine\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_new_one_is_told_to_the_database_that_knows_another(tmp_path: Path) -> None:
    (_,) = commands(SECRET.actions(state(), "service"))
    make, tell = commands(SECRET.actions(state(DATABASE), "service"))
    assert tell[-3:] == SECRET.telling
    assert PATH in make
    database, file = tmp_path / "database", tmp_path / "password"
    database.write_text("old\n")
    paths = {str(path): FileState(str(path)) for path in (file, database)}
    paths[str(database)] = FileState(str(database), True, digest=digest_of(b"old\n"))
    run(Secret(str(file), ME, str(database), ("cp", "/dev/stdin", str(database))), State(files=paths))
    assert database.read_text() == file.read_text()


def test_what_was_not_told_before_a_run_ended_is_told_by_the_next() -> None:
    now = state(PATH, DATABASE, record=BEGUN)
    assert SECRET.missing(now) is not None
    given, told = commands(SECRET.actions(now, "service"))
    assert "urandom" not in given[2]
    assert told[-3:] == SECRET.telling


def test_one_that_was_left_with_its_data_is_taken_over_as_it_is() -> None:
    now = state(PATH, DATABASE)
    missing = SECRET.missing(now)
    assert missing is not None
    assert missing.words == f"take over the password in {PATH}"
    (given,) = commands(SECRET.actions(now, "service"))
    assert "urandom" not in given[2]


def test_an_empty_file_is_no_password() -> None:
    assert SECRET.missing(state(PATH, record=WHOLE, content=b"")) is not None


def test_a_directory_in_its_place_is_an_obstacle() -> None:
    there = FileState(PATH, True, 0o755, "root:root", "0:0")
    missing = SECRET.missing(State(files={PATH: there}))
    assert missing is not None
    assert missing.obstacle


def test_its_record_is_whole_only_behind_the_telling() -> None:
    actions = SECRET.actions(state(DATABASE), "service")
    records = [action.content for action in actions if isinstance(action, WriteFile)]
    assert records == [BEGUN.encoded(), WHOLE.encoded()]
    assert isinstance(actions[0], WriteFile)
    assert isinstance(actions[-1], WriteFile)


def test_it_is_looked_at_alone_once_all_is_well() -> None:
    assert SECRET.look(State()).files == {PATH, DATABASE}
    assert SECRET.look(State(made={("secret", PATH): WHOLE})).files == {PATH}
    assert SECRET.look(state(record=WHOLE)).files == {PATH, DATABASE}


def test_it_goes_with_its_data_and_stays_with_them() -> None:
    words, _ = removal(WHOLE, state(PATH, record=WHOLE))
    assert words.words == f"remove {PATH}"
    assert without_data([WHOLE]) == []
