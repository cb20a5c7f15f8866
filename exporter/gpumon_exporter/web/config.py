"""What a `web.config.file` says, in the convention of Prometheus' exporters: certificates, and who may come in."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gpumon_exporter.failures import Failure
from gpumon_exporter.web.config_text import NotUnderstood, Section, Value, read

Choice = TypeVar("Choice")

_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")

CLIENT_CERTIFICATES = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
"""What may be said about clients' certificates. Those that Python's TLS cannot do are refused, never weakened."""

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
"""What may be spoken; older ones are broken, and Prometheus does not need them."""


@dataclass(frozen=True)
class Tls:
    """How connections are encrypted."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    """Who signs the certificates of clients; None when none are checked."""
    client_certificates: ssl.VerifyMode = ssl.CERT_NONE
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that are read for it."""
        return tuple(file for file in (self.cert_file, self.key_file, self.client_ca_file) if file)


@dataclass(frozen=True)
class WebConfig:
    """How the metrics are protected; nothing protects them when all is empty."""

    tls: Tls | None = None
    """None for plain HTTP."""
    users: Mapping[str, str] | None = None
    """Names and bcrypt hashes, at least one; None when everybody may come in."""


def read_web_config(path: Path) -> WebConfig:
    """What the file at `path` says; names of files in it are relative to its folder."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Failure(f"cannot read the web configuration {path}: {reason}") from error
    try:
        sections = read(text)
        _known(sections, ("tls_server_config", "basic_auth_users"))
        tls, users = sections.get("tls_server_config"), sections.get("basic_auth_users")
        return WebConfig(_tls(tls, path.parent) if tls else None, _users(users) if users else None)
    except NotUnderstood as error:
        raise Failure(f"the web configuration {path}, {error}") from error


def _tls(section: Section, folder: Path) -> Tls:
    values = dict(section.values)
    _known(values, ("cert_file", "key_file", "client_ca_file", "client_auth_type", "min_version", "max_version"))
    authority = values.get("client_ca_file")
    tls = Tls(
        cert_file=folder / _needed(section, "cert_file").text,
        key_file=folder / _needed(section, "key_file").text,
        client_ca_file=folder / authority.text if authority else None,
        client_certificates=_chosen(values.get("client_auth_type"), CLIENT_CERTIFICATES, ssl.CERT_NONE),
        oldest=_chosen(values.get("min_version"), VERSIONS, ssl.TLSVersion.TLSv1_2),
        newest=_chosen(values.get("max_version"), VERSIONS, ssl.TLSVersion.TLSv1_3),
    )
    if (tls.client_ca_file is None) != (tls.client_certificates is ssl.CERT_NONE):
        raise NotUnderstood(section.line, "client_ca_file and a client_auth_type that checks by it need each other")
    if tls.oldest > tls.newest:
        raise NotUnderstood(section.line, "min_version is newer than max_version")
    return tls


def _users(section: Section) -> Mapping[str, str]:
    if not section.values:
        raise NotUnderstood(section.line, "basic_auth_users names nobody; without the section everybody may come in")
    for name, value in section.values.items():
        if not _BCRYPT.fullmatch(value.text):
            raise NotUnderstood(value.line, f"what stands behind {name!r} is no bcrypt hash (htpasswd -nB makes one)")
        if ":" in name:
            raise NotUnderstood(value.line, "a user's name cannot hold a colon")
    return {name: value.text for name, value in section.values.items()}


def _needed(section: Section, name: str) -> Value:
    value = section.values.get(name)
    if value is None or not value.text:
        raise NotUnderstood(section.line, f"the section has no {name}")
    return value


def _chosen(value: Value | None, choices: Mapping[str, Choice], default: Choice) -> Choice:
    if value is None:
        return default
    if value.text not in choices:
        raise NotUnderstood(value.line, f"{value.text!r} is none of {', '.join(choices)}")
    return choices[value.text]


def _known(entries: Mapping[str, Section | Value], names: tuple[str, ...]) -> None:
    """Refuses what would otherwise be ignored: a setting that is misspelt must not leave a door open."""
    for name, entry in entries.items():
        if name not in names:
            raise NotUnderstood(entry.line, f"{name!r} is none of {', '.join(names)}")
