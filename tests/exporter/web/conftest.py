"""Served sites on the loopback, and certificates for them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from exporter_served import SITE, Serve
from gpumon_exporter.web.listening import Address
from gpumon_exporter.web.protection import Protection
from gpumon_exporter.web.server import WebServer
from gpumon_exporter.web.site import Site


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves until the test ends."""
    with ExitStack() as servers:

        def start(config: Path | None = None, site: Site = SITE) -> int:
            server = WebServer(Address("127.0.0.1", 0), site, Protection(config))
            servers.callback(server.close)
            server.start()
            return int(server.names[0].rpartition(":")[2])

        yield start


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority (ca.crt) and with what it signed: server, renewed, client (.crt and .key)."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n", encoding="utf-8")
    key = ("-newkey", "rsa:2048", "-nodes")
    _openssl(folder, "req", "-x509", *key, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")
    for number, name in enumerate(("server", "renewed", "client"), 1):
        asked = f"{name}.csr"
        _openssl(folder, "req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", asked)
        signer = ("-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", str(number))
        _openssl(folder, "x509", "-req", "-in", asked, *signer, "-extfile", "names", "-out", f"{name}.crt")
    return folder


def _openssl(folder: Path, *arguments: str) -> None:
    """Runs the system's openssl, which every machine that knows TLS has."""
    subprocess.run(("openssl", *arguments), cwd=folder, check=True, capture_output=True)
