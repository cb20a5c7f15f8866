"""The settings of one cluster: which file holds, what it says, and what the command line says over it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from msgspec import structs

from gpumon.config.checking import Checked, Fields, Mistakes, Profile, check, unknown_cluster
from gpumon.config.keys import PROMETHEUS, TOP
from gpumon.config.secrets import SecretPlace
from gpumon.config.values import Here, Wrong
from gpumon.errors import ConfigError
from gpumon.settings import PrometheusSettings, Secret, Settings, Thresholds, TuiSettings
from gpumon.text import shown
from gpumon.units import Units

SYSTEM_FILE = Path("/etc/gpumon/config.toml")
"""For all users of a machine."""
_MOST_BYTES = 1 << 20


def load_settings(
    path: Path | None = None, *, cluster: str | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """The settings of `cluster`, from the first file found; what holds without any file when there is none.

    The files are `path` (--config), $GPUMON_CONFIG, gpumon/config.toml in the user's configuration directory, and
    /etc/gpumon/config.toml. A profile's [clusters.NAME.prometheus] stands alone: nothing of the top's [prometheus]
    holds for it, so that no token goes to another cluster's server.

    Raises:
        ConfigError: everything that is wrong with the file.
    """
    found = read_file(path, environ)
    if found is None:
        if cluster is not None:
            raise ConfigError([f'--cluster: there is no cluster called "{shown(cluster, 80)}": no configuration file.'])
        return Settings()
    file, content = found
    mistakes = Mistakes(shown(str(file), 300))
    here = Here(file.parent, environ)
    document = parsed(content, mistakes)
    if document is None:
        raise ConfigError(mistakes.lines)
    checked = check(document, here, mistakes)
    name = _chosen(checked, cluster, mistakes)
    prometheus = _prometheus(checked, name, environ, mistakes) if name is not None else {}
    if mistakes.lines or name is None:
        raise ConfigError(mistakes.lines)
    return structs.replace(_settings(checked, name, prometheus), file=file)


def with_overrides(
    settings: Settings, *, url: str | None = None, interval: float | str | None = None, theme: str | None = None
) -> Settings:
    """`settings` with what the command line says over them; credentials stay those of the file.

    Raises:
        ConfigError: a flag's value cannot be used; all of them at once.
    """
    here = Here(Path(), os.environ)
    by_name = {key.name: key for key in (*TOP, *PROMETHEUS)}
    lines: list[str] = []
    fields: Fields = {}
    for flag, name, value in (("--prometheus", "url", url), ("--interval", "interval", interval),
                              ("--theme", "theme", theme)):  # fmt: skip
        if value is None:
            continue
        try:
            fields[by_name[name].field] = by_name[name].read(value, here)
        except Wrong as wrong:
            lines.append(f"{flag}: {wrong}.")
    if lines:
        raise ConfigError(lines)
    if "url" in fields:
        fields["prometheus"] = structs.replace(settings.prometheus, url=fields.pop("url"))
    return structs.replace(settings, **fields)


def named_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that --config or $GPUMON_CONFIG names, whether it is there or not; None when neither does."""
    named = str(path) if path is not None else environ.get("GPUMON_CONFIG")
    return Here(Path(), environ).path(named) if named else None


def user_file(environ: Mapping[str, str]) -> Path:
    """The user's own, whether it is there or not."""
    chosen = environ.get("XDG_CONFIG_HOME", "")
    directory = Path(chosen) if chosen.startswith("/") else Here(Path(), environ).path("~/.config")
    return directory / "gpumon/config.toml"


def read_file(path: Path | None, environ: Mapping[str, str]) -> tuple[Path, bytes] | None:
    """The file that holds and its content; None when there is none.

    Raises:
        ConfigError: it cannot be read.
    """
    file = named_file(path, environ)
    if file is not None:
        by = "--config" if path is not None else "$GPUMON_CONFIG"
        try:
            return file, _content(file)
        except (OSError, ValueError) as error:
            raise ConfigError([f"{shown(str(file), 300)} ({by}): cannot be read: {_reason(error)}."]) from None
    return _if_there(user_file(environ)) or _if_there(SYSTEM_FILE)


def _if_there(file: Path) -> tuple[Path, bytes] | None:
    try:
        return file, _content(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError([f"{shown(str(file), 300)}: cannot be read: {_reason(error)}."]) from None


def _content(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(_MOST_BYTES + 1)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "no such path"


def parsed(content: bytes, mistakes: Mistakes) -> Mapping[str, object] | None:
    """What a file's content says as TOML; None after a mistake."""
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    if len(content) > _MOST_BYTES:
        mistakes.add("", "is longer than any configuration; expected at most 1 MiB of TOML")
        return None
    try:
        return cast("Mapping[str, object]", toml.loads(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        mistakes.add("", f"is not UTF-8 (line {line}); expected TOML, which is always UTF-8")
    except RecursionError:
        mistakes.add("", "is nested too deeply to be read")
    except ValueError as error:
        mistakes.add("", f"is not TOML: {shown(str(error), 200)}")
    return None


def _chosen(checked: Checked, asked: str | None, mistakes: Mistakes) -> str | None:
    """The profile's name, "" for the top; None after a mistake."""
    name = asked if asked is not None else checked.top.own.get("default_cluster")
    if name is not None:
        if name in checked.clusters:
            return name
        if asked is not None:
            mistakes.lines.append(f"{mistakes.file}: --cluster: {unknown_cluster(asked, checked.clusters)}.")
        return None
    if not checked.clusters or "prometheus" in checked.top.sections:
        return ""
    if len(checked.clusters) == 1:
        return next(iter(checked.clusters))
    known = shown(", ".join(checked.clusters), 300)
    mistakes.add("", f"names several clusters; choose one with --cluster or default_cluster. Known are {known}")
    return None


def _prometheus(checked: Checked, name: str, environ: Mapping[str, str], mistakes: Mistakes) -> Fields:
    """How the chosen cluster is reached, with its secrets.

    A program that tells a secret may ask somebody for a passphrase; it is run only when nothing else is wrong.
    """
    profile = _profile(checked, name)
    at = f"{profile.at}prometheus."
    fields: Fields = dict(profile.sections.get("prometheus", {}))
    for key in ("ca_file", "client_cert_file", "client_key_file"):
        if key in fields:
            _readable(fields[key], f"{at}{key}", mistakes)
    _fetch(fields, at, environ, mistakes, runs_programs=False)
    if not mistakes.lines:
        _fetch(fields, at, environ, mistakes, runs_programs=True)
    return fields


def _fetch(fields: Fields, at: str, environ: Mapping[str, str], mistakes: Mistakes, *, runs_programs: bool) -> None:
    """Puts secrets where their places stood, either those that a program tells or the others."""

    def fetched(value: SecretPlace | Secret, place: str) -> SecretPlace | Secret:
        if isinstance(value, Secret) or value.runs_a_program is not runs_programs:
            return value
        try:
            return value.fetch(environ)
        except Wrong as wrong:
            mistakes.wrong(place, wrong)
            return value

    for key in ("password", "bearer_token"):
        if key in fields:
            fields[key] = fetched(fields[key], f"{at}{key}")
    if "headers" in fields:
        fields["headers"] = tuple((name, fetched(value, f"{at}headers.{name}")) for name, value in fields["headers"])


def _readable(file: Path, place: str, mistakes: Mistakes) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        mistakes.add(place, f"found {shown(str(file), 300)}, which cannot be read ({error.strerror}); expected a file")


def _profile(checked: Checked, name: str) -> Profile:
    return checked.clusters[name] if name else checked.top


def _settings(checked: Checked, name: str, prometheus: Fields) -> Settings:
    top, profile = checked.top, _profile(checked, name)
    own: Fields = {**top.own, **profile.own}
    own.pop("default_cluster", None)
    thresholds: Fields = {**top.sections.get("thresholds", {}), **profile.sections.get("thresholds", {})}
    return Settings(
        cluster=name,
        prometheus=PrometheusSettings(**prometheus),
        units=Units(**top.sections.get("units", {})),
        thresholds=Thresholds(**thresholds),
        tui=TuiSettings(**top.sections.get("tui", {})),
        **own,
    )
