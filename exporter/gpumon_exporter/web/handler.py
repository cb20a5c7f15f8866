"""One request: read within bounds, let in or not, answered."""

from __future__ import annotations

import io
import logging
import socket
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from gpumon_exporter.log import one_line
from gpumon_exporter.web.protection import Protection
from gpumon_exporter.web.request import PATIENCE_SECONDS, TooLong, login_of, read_head, takes_gzip
from gpumon_exporter.web.site import Answer, Site, Wishes

_log = logging.getLogger(__name__)


class Handler(BaseHTTPRequestHandler):
    """Answers one request and hangs up. Only its head is read: nobody has anything to send to an exporter."""

    server_version = "gpumon-slurm-exporter"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d %(message)s\n"

    def __init__(
        self, connection: socket.socket, client: str, site: Site, protection: Protection, deadline: float
    ) -> None:
        self._site = site
        self._protection = protection
        self._deadline = deadline
        super().__init__(connection, (client, 0), None)  # type: ignore[arg-type]  # no server of the library's own

    def handle(self) -> None:
        """Reads a request and answers it."""
        self.close_connection = True
        self.requestline, self.request_version, self.command = "", self.protocol_version, ""
        try:
            head = read_head(self.connection, self._deadline)
        except TooLong:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        if not head:
            return
        rest = io.BytesIO(head)
        self.raw_requestline = rest.readline()
        self.rfile = rest
        if self.parse_request():
            self.close_connection = True
            self._answer()

    def _answer(self) -> None:
        page = self._site.get(self.path.partition("?")[0])
        if not self._is_admitted():
            self._refuse(HTTPStatus.UNAUTHORIZED, "WWW-Authenticate", 'Basic realm="gpumon", charset="UTF-8"')
        elif page is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif self.command not in ("GET", "HEAD"):
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "Allow", "GET, HEAD")
        else:
            gzip = takes_gzip(self.headers.get("Accept-Encoding"))
            self._send(page(Wishes(self.headers.get("Accept", ""), gzip)))

    def _is_admitted(self) -> bool:
        if not self._protection.asks_for_a_login:
            return True
        login = login_of(self.headers.get("Authorization"))
        return login is not None and self._protection.admits(*login)

    def _send(self, answer: Answer) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(answer.length))
        self.send_header("Vary", "Accept, Accept-Encoding")
        self.send_header("Connection", "close")
        if answer.is_gzipped:
            self.send_header("Content-Encoding", "gzip")
        deadline = time.monotonic() + PATIENCE_SECONDS
        self.end_headers()
        for part in answer.parts if self.command == "GET" else ():
            self.connection.settimeout(max(deadline - time.monotonic(), 0.001))
            self.connection.sendall(part)

    def _refuse(self, status: HTTPStatus, header: str, value: str) -> None:
        """An error page with a header that tells what would have been right."""
        body = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        self.send_header(header, value)
        self.send_header("Content-Type", self.error_content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        """A request is no event worth a line, unless somebody debugs."""
        _log.debug("%s: %s", self.client_address[0], one_line(format % args))
