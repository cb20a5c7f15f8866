"""Who may read the metrics: passwords and certificates, read anew when they change, and never weaker than asked for."""

from __future__ import annotations

import logging
import shutil
import ssl
from pathlib import Path

import pytest

from exporter_served import Serve, ask, say
from gpumon_exporter.failures import Failure
from gpumon_exporter.web.config import read_web_config
from gpumon_exporter.web.passwords import Bcrypt, Logins

SESAME = "$2b$04$SlmTfkDWsAFZclBDMQ/OJe62jFK0AvHjwh1C0tvk/H1yN9W1IHFw6"
OTHER = "$2y$04$SlmTfkDWsAFZclBDMQ/OJepBJkW./Pe2BX/INw6GiaIakOssx77bC"
BASIC = f"basic_auth_users:\n  alice: {SESAME}\n"
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


def trusting(certificates: Path, *, showing: str = "") -> ssl.SSLContext:
    """A client that trusts the authority, and shows a certificate of its own if one is named."""
    context = ssl.create_default_context(cafile=certificates / "ca.crt")
    if showing:
        context.load_cert_chain(certificates / f"{showing}.crt", certificates / f"{showing}.key")
    return context


@pytest.fixture
def folder(tmp_path: Path, certificates: Path) -> Path:
    """A folder of one's own with the certificates in it."""
    return Path(shutil.copytree(certificates, tmp_path / "web"))


def configured(folder: Path, text: str) -> Path:
    """The web configuration, written (anew) at once."""
    fresh = folder / "web.yml.new"
    fresh.write_text(text, encoding="utf-8")
    return fresh.rename(folder / "web.yml")


def test_the_right_password_is_let_in_and_every_other_is_not(serve: Serve, tmp_path: Path) -> None:
    port = serve(configured(tmp_path, BASIC))
    assert ask(port, login=("alice", "sesame")).status == 200
    assert ask(port, login=("alice", "sesame")).status == 200
    for login in (("alice", "wrong"), ("bob", "sesame"), ("alice", ""), ("alice", "sesame\0x"), ("", "sesame")):
        assert ask(port, login=login).status == 401
    got = ask(port, "/nowhere")
    assert (got.status, got.headers["www-authenticate"]) == (401, 'Basic realm="gpumon", charset="UTF-8"')


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic YWxpY2U=", "Bearer YWxpY2U6c2VzYW1l", "Basic /w=="])
def test_a_broken_login_is_no_login(serve: Serve, tmp_path: Path, header: str) -> None:
    assert ask(serve(configured(tmp_path, BASIC)), Authorization=header).status == 401


def test_a_login_is_hashed_once_and_forgotten_when_the_hash_changes() -> None:
    class Counting(Bcrypt):
        """Counts its work."""

        hashed = 0

        def fits(self, password: str, hashed: str) -> bool:
            self.hashed += 1
            return super().fits(password, hashed)

    bcrypt = Counting()
    logins, before = Logins(bcrypt), bcrypt.hashed
    assert all(logins.are_right({"alice": SESAME}, "alice", "sesame") for _ in range(5))
    assert bcrypt.hashed == before + 1
    assert not logins.are_right({"alice": OTHER}, "alice", "sesame")
    assert not logins.are_right({"alice": SESAME}, "bob", "sesame")


def test_a_system_without_bcrypt_is_said_at_once() -> None:
    with pytest.raises(Failure, match="this system's libcrypt has none"):
        Bcrypt(("libm.so.6", "libnothing.so.7"))


def test_tls_is_spoken_and_plain_http_is_not(serve: Serve, folder: Path) -> None:
    port = serve(configured(folder, TLS))
    assert ask(port, tls=trusting(folder)).body == b"ok\n"
    assert len(ask(port, "/large", tls=trusting(folder)).body) == 6_000_000
    assert b"200" not in say(port, b"GET /healthz HTTP/1.0\r\n\r\n")


def test_tls_and_passwords_work_together(serve: Serve, folder: Path) -> None:
    port = serve(configured(folder, TLS + BASIC))
    assert ask(port, tls=trusting(folder)).status == 401
    assert ask(port, tls=trusting(folder), login=("alice", "sesame")).status == 200


def test_a_client_without_the_certificate_that_is_asked_for_is_turned_away(serve: Serve, folder: Path) -> None:
    asked = "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"
    port = serve(configured(folder, TLS + asked))
    assert ask(port, tls=trusting(folder, showing="client")).status == 200
    with pytest.raises(OSError, match=r"CERTIFICATE_REQUIRED|alert|reset|closed"):
        ask(port, tls=trusting(folder))


def test_old_tls_is_refused(serve: Serve, folder: Path) -> None:
    port = serve(configured(folder, TLS + "  min_version: TLS13\n"))
    old = trusting(folder)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        ask(port, tls=old)


def served_certificate(port: int) -> bytes:
    """What the server shows."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))


def certificate(path: Path) -> bytes:
    """What stands in a file."""
    return ssl.PEM_cert_to_DER_cert(path.read_text(encoding="ascii"))


def test_a_renewed_certificate_is_used_without_a_restart(serve: Serve, folder: Path) -> None:
    port = serve(configured(folder, TLS))
    assert served_certificate(port) == certificate(folder / "server.crt")
    renewed = certificate(folder / "renewed.crt")
    (folder / "renewed.crt").rename(folder / "server.crt")
    assert served_certificate(port) != renewed, "its key is still the old one"
    (folder / "renewed.key").rename(folder / "server.key")
    assert served_certificate(port) == renewed


def test_changed_users_count_at_once_and_a_broken_change_keeps_the_old_ones(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = serve(configured(tmp_path, BASIC))
    configured(tmp_path, BASIC.replace("alice", "bob"))
    assert [ask(port, login=(name, "sesame")).status for name in ("alice", "bob")] == [401, 200]
    with caplog.at_level(logging.INFO):
        configured(tmp_path, "basic_auth_users:\n  bob: sesame\n")
        assert [ask(port, login=("bob", "sesame")).status for _ in range(3)] == [200] * 3
        configured(tmp_path, BASIC)
        assert ask(port, login=("alice", "sesame")).status == 200
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3, "the trouble once, its end once, and what was done"
    assert "line 2: what stands behind 'bob' is no bcrypt hash" in said[0]
    assert "sesame" not in "".join(said)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("tls_config:\n", "line 1: 'tls_config' is none of tls_server_config, basic_auth_users"),
        ("tls_server_config:\n  cert_file: a\n", "line 1: the section has no key_file"),
        (TLS + "  prefer: x\n", "line 4: 'prefer' is none of cert_file, key_file"),
        (TLS + "  client_ca_file: ca.crt\n", "client_ca_file and a client_auth_type"),
        (TLS + "  client_auth_type: RequireAnyClientCert\n", "'RequireAnyClientCert' is none of NoClientCert"),
        (TLS + "  client_auth_type: RequireAndVerifyClientCert\n", "client_ca_file and a client_auth_type"),
        (TLS + "  min_version: TLS11\n", "'TLS11' is none of TLS12, TLS13"),
        (TLS + "  min_version: TLS13\n  max_version: TLS12\n", "min_version is newer than max_version"),
        ("basic_auth_users:\n", "names nobody"),
        ("basic_auth_users:\n  alice: secret\n", "line 2: what stands behind 'alice' is no bcrypt hash"),
        (f"basic_auth_users:\n  'a:b': {SESAME}\n", "cannot hold a colon"),
    ],
)
def test_a_mistake_in_the_configuration_never_leaves_a_door_open(tmp_path: Path, text: str, complaint: str) -> None:
    path = configured(tmp_path, text)
    with pytest.raises(Failure) as refused:
        read_web_config(path)
    assert complaint in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("damage", ["missing", "garbage", "not UTF-8", "no certificate", "locked key"])
def test_what_cannot_be_read_is_one_sentence_with_its_file(serve: Serve, folder: Path, damage: str) -> None:
    path = configured(folder, TLS)
    if damage == "missing":
        path.unlink()
    elif damage == "garbage":
        (folder / "server.crt").write_text("no certificate", encoding="ascii")
    elif damage == "not UTF-8":
        path.write_bytes(b"\xff\xfe")
    elif damage == "no certificate":
        (folder / "server.crt").unlink()
    else:
        (folder / "server.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", encoding="ascii")
    with pytest.raises(Failure, match=r"web\.yml|server\.crt") as refused:
        serve(path)
    assert "\n" not in str(refused.value)
