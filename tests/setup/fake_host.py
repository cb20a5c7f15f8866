"""A machine in memory: it answers the setup's questions and carries out its steps, for tests of whole deployments."""

from __future__ import annotations

import io
import json
import secrets
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from gpumon_setup.failures import ConnectionBroke, HostError, StepFailed
from gpumon_setup.host import (
    Held,
    MakeDirectory,
    Outcome,
    RemoveDirectory,
    RemoveFile,
    RunCommand,
    SendFile,
    Step,
    WriteFile,
    digest_of,
)
from setup.archives import archive
from setup.fake_answers import answered

EVERYWHERE = ("/etc/default", "/etc/systemd/system", "/etc/tmpfiles.d", "/run", "/var/lib", "/usr/local/lib")
"""Directories that every machine has, with those above them."""


Small: TypeAlias = WriteFile | RemoveFile | MakeDirectory | RemoveDirectory | RunCommand
"""What a script carries out by itself."""


@dataclass
class FakeFile:
    """A file, or a directory when it has no content."""

    content: bytes | None = None
    mode: int = 0o644
    owner: str = "root:root"


@dataclass
class FakeUnit:
    """A unit of systemd."""

    is_active: bool = False
    is_enabled: bool = False
    starts: int = 0
    """How often it was started or restarted."""
    read: str = ""
    """The digest of its file when systemd last read it."""


@dataclass
class FakeContainer:
    """A container of docker."""

    image: str
    labels: dict[str, str] = field(default_factory=dict[str, str])
    argv: tuple[str, ...] = ()
    is_running: bool = True


@dataclass
class FakeHost:
    """One machine. Everything on it may be looked at and changed by a test."""

    name: str
    address: str = "10.77.0.2"
    has_docker: bool = True
    has_podman: bool = False
    gpus: int = 0
    job_steps: tuple[str, ...] = ()
    resolved: dict[str, str] = field(default_factory=dict[str, str])
    """What names mean to it."""
    sections: dict[str, str] = field(default_factory=dict[str, str])
    """Answers to the probe in the place of those that follow from the rest."""
    files: dict[str, FakeFile] = field(
        default_factory=lambda: {"/etc/hosts": FakeFile(b"127.0.0.1 localhost\n"), "/etc": FakeFile(mode=0o755)}
    )
    units: dict[str, FakeUnit] = field(default_factory=dict[str, FakeUnit])
    containers: dict[str, FakeContainer] = field(default_factory=dict[str, FakeContainer])
    images: set[str] = field(default_factory=set[str])
    packages: dict[str, str] = field(default_factory=dict[str, str])
    faults: dict[str, HostError] = field(default_factory=dict[str, HostError])
    """By words of a step: it is begun, and then this happens; "" for every question."""
    commands: dict[tuple[str, ...], Callable[[RunCommand], Outcome]] = field(
        default_factory=dict[tuple[str, ...], Callable[[RunCommand], Outcome]]
    )
    """How commands behave that begin with these words, in the place of what is known here."""
    archive: set[str] | None = field(default_factory=lambda: {"grafana"})
    """Packages that apt finds, of those that not every archive has; None while it never asked one."""
    loses_what_is_sent: bool = False
    """Whether the way breaks in the middle of every file that is sent."""
    received: int = 0
    """Bytes of files that were sent, so far."""
    asked: int = 0
    """Round trips so far."""
    ran: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    """Every command of every step."""
    held_by: str = ""
    """Who holds the lock already."""
    is_closed: bool = False

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0, as_root: bool = True) -> Outcome:
        """Runs one command."""
        del seconds, as_root
        self._be_there()
        return self._command(RunCommand(tuple(argv), stdin))

    def run_script(self, script: str, *, seconds: float = 120.0, as_root: bool = True) -> Outcome:
        """Answers the two questions that the setup asks."""
        del seconds, as_root
        self._be_there()
        if "" in self.faults:
            raise self.faults[""]
        return Outcome(0, answered(self, script).encode())

    def perform(
        self,
        steps: Sequence[Step],
        *,
        done: Callable[[int], None] = lambda _: None,
        sent: Callable[[int, int, int], None] = lambda _number, _so_far, _size: None,
    ) -> None:
        """Carries out steps until one of them fails."""
        self._be_there()
        for number, step in enumerate(steps):
            for action in step.actions:
                if isinstance(action, SendFile):
                    self._take_in(action, partial(sent, number))
                else:
                    self._carry_out(action, step.words)
            for words, fault in self.faults.items():
                if words and words in step.words:
                    raise fault
            done(number)

    def read(self, path: str) -> bytes | None:
        """A file's content."""
        self._be_there()
        return self.files[path].content if path in self.files else None

    def bring(self, argv: Sequence[str], target: Path, *, seconds: float = 60.0) -> Outcome:
        """An archive of images, when that is what is asked for."""
        del seconds
        self._be_there()
        names = argv[argv.index("{}") + 1 :]
        if not self.images.issuperset(names):
            return Outcome(1, err=b"No such image")
        archive(target, names)
        return Outcome(0)

    def hold(self, script: str) -> Held:
        """Gives the lock, unless somebody has it."""
        token = script.partition("echo ")[2].split()[0]
        return FakeHeld(self.held_by or token)

    def close(self) -> None:
        """Ends the connection."""
        self.is_closed = True

    def text(self, path: str) -> str:
        """A file's content as text; "" for none."""
        content = self.files[path].content if path in self.files else None
        return (content or b"").decode()

    def picture(self) -> object:
        """Everything on the machine, to be compared."""
        return (
            {path: replace(file) for path, file in self.files.items()},
            {name: (unit.is_active, unit.is_enabled) for name, unit in self.units.items()},
            {name: replace(container) for name, container in self.containers.items()},
            dict(self.packages),
            set(self.images),
        )

    def _be_there(self) -> None:
        self.asked += 1
        if self.is_closed:
            raise ConnectionBroke(self.name, "the connection broke.")

    def _take_in(self, action: SendFile, sent: Callable[[int, int], None]) -> None:
        sent(action.source.size // 2, action.source.size)
        if self.loses_what_is_sent:
            raise ConnectionBroke(self.name, f"{action.source.name} could not be sent over SFTP: it broke off.")
        self.received += action.source.size
        with action.source.opened() as stream:
            content = io.BytesIO(stream.read())
        assert len(content.getvalue()) == action.source.size
        with tarfile.open(fileobj=content) as tar:
            files = {name: file.read() for name in tar.getnames() if (file := tar.extractfile(name)) is not None}
        for image in json.loads(files["manifest.json"]):
            assert {image["Config"], *image["Layers"]} <= files.keys()
            self.images.update(image["RepoTags"])
        self.ran.append(action.argv)

    def _carry_out(self, action: Small, words: str) -> None:
        if isinstance(action, WriteFile):
            self._write(action, words)
        elif isinstance(action, MakeDirectory):
            self._make_directory(action.path, action.mode, action.owner)
        elif isinstance(action, RemoveFile):
            copy = self.files.pop(action.restore, None) if action.restore else None
            if copy is not None:
                self.files[action.path] = copy
            else:
                self.files.pop(action.path, None)
        elif isinstance(action, RemoveDirectory):
            inside = [path for path in self.files if path.startswith(f"{action.path}/")]
            if action.with_content or not inside:
                for path in (*inside, action.path):
                    self.files.pop(path, None)
        else:
            self.ran.append(action.argv)
            outcome = self._command(action)
            if outcome.exit_code not in action.ok_codes:
                said = outcome.err.decode() or f"it ended with {outcome.exit_code}"
                raise StepFailed(self.name, f"{words}: {said}.")

    def _write(self, action: WriteFile, words: str) -> None:
        now = self.files.get(action.path)
        seen = digest_of(now.content or b"") if now is not None else ""
        if action.was is not None and seen != action.was:
            raise StepFailed(self.name, f"{words}: another hand changed {action.path}.")
        if now is not None and action.backup and action.backup not in self.files:
            self._make_directory(action.backup.rpartition("/")[0], 0o755, "root:root")
            self.files[action.backup] = replace(now)
        parent = action.path.rpartition("/")[0]
        if parent not in {*EVERYWHERE, *self.files}:
            raise StepFailed(self.name, f"{words}: {action.path}: there is no directory for it.")
        owner = "root:root" if action.owner == "0:0" else action.owner
        self.files[action.path] = FakeFile(action.content, action.mode, owner)

    def _make_directory(self, path: str, mode: int, owner: str) -> None:
        parts = path.split("/")[1:]
        for parent in ("/" + "/".join(parts[:depth]) for depth in range(1, len(parts))):
            if not any(usual == parent or usual.startswith(f"{parent}/") for usual in EVERYWHERE):
                self.files.setdefault(parent, FakeFile(mode=0o755))
        self.files[path] = FakeFile(None, mode, owner)

    def _command(self, command: RunCommand) -> Outcome:
        argv = command.argv
        for words, answer in self.commands.items():
            if argv[: len(words)] == words:
                return answer(command)
        if argv[0] == "systemctl":
            return self._systemctl(argv[1], [word for word in argv[2:] if not word.startswith("--")], argv)
        if argv[0] in ("docker", "podman"):
            return self._engine(argv)
        if argv[0] == "sh":
            return self._shell(argv[2], argv[4:])
        return Outcome(127, err=f"{argv[0]}: not found".encode())

    def _shell(self, script: str, arguments: Sequence[str]) -> Outcome:
        if "apt-get" in script and "purge" in script:
            self.packages.pop(arguments[-1], None)
        elif "apt-get" in script:
            self.packages[arguments[-1]] = "1.0"
        elif "/dev/urandom" in script:
            self.files[arguments[0]] = FakeFile(secrets.token_hex(16).encode() + b"\n", 0o600, arguments[1])
        elif "chown" in script:
            self.files[arguments[0]] = replace(self.files[arguments[0]], mode=0o600, owner=arguments[1])
        elif 'exec "$@"' not in script:
            return Outcome(127, err=b"sh: not found")
        return Outcome(0)

    def _systemctl(self, verb: str, names: Sequence[str], argv: Sequence[str]) -> Outcome:
        for name in names:
            unit = self.units.setdefault(name, FakeUnit())
            file = self.files.get(f"/etc/systemd/system/{name}")
            if verb in ("start", "restart"):
                unit.is_active, unit.starts = True, unit.starts + 1
                unit.read = unit.read or digest_of((file.content or b"") if file is not None else b"")
            unit.is_enabled = verb == "enable" or (unit.is_enabled and verb != "disable")
            if verb == "stop" or (verb == "disable" and "--now" in argv):
                unit.is_active = False
        if verb == "daemon-reload":
            for name, unit in list(self.units.items()):
                file = self.files.get(f"/etc/systemd/system/{name}")
                if file is None and not unit.is_active and name.startswith("gpumon-"):
                    del self.units[name]
                else:
                    unit.read = digest_of((file.content or b"") if file is not None else b"")
        return Outcome(0)

    def _engine(self, argv: tuple[str, ...]) -> Outcome:
        verb, name = argv[1], argv[-1]
        if verb == "pull":
            self.images.add(name)
        elif verb == "version":
            return Outcome(0 if (self.has_docker if argv[0] == "docker" else self.has_podman) else 127)
        elif verb == "image" and argv[2] == "inspect":
            return Outcome(0 if name in self.images else 1, err=b"No such image")
        elif verb == "image":
            self.images.discard(name)
        elif verb == "run":
            return self._run_container(argv)
        elif verb == "kill":
            return Outcome(0 if argv[0] == "podman" or name in self.containers else 1)
        elif name not in self.containers:
            return Outcome(1, err=b"No such container")
        elif verb == "rm":
            del self.containers[name]
        else:
            self.containers[name].is_running = verb == "start"
        return Outcome(0)

    def _run_container(self, argv: tuple[str, ...]) -> Outcome:
        flags = [word for word in argv if word.startswith("--")]
        name = next(flag.partition("=")[2] for flag in flags if flag.startswith("--name="))
        labels = [flag.partition("=")[2] for flag in flags if flag.startswith("--label=")]
        image = next(word for word in argv[3:] if not word.startswith("--"))
        if image not in self.images:
            return Outcome(125, err=b"Unable to find image")
        if name in self.containers:
            return Outcome(125, err=b"The container name is already in use")
        told = {label: value for label, _, value in (text.partition("=") for text in labels)}
        self.containers[name] = FakeContainer(image, told, argv)
        return Outcome(0)


@dataclass
class FakeHeld:
    """A lock that is held, or not."""

    first_line: str
    is_released: bool = False

    def is_running(self) -> bool:
        """False once it was released."""
        return not self.is_released

    def beat(self) -> None:
        """Nobody listens."""

    def release(self) -> None:
        """Lets go."""
        self.is_released = True
