"""A server that answers like a real Prometheus at a few moments, without working anything out: replay.py URL STEP.

What it was not asked before it asks the real one; it goes on to the next moment every STEP seconds.
"""

from __future__ import annotations

import re
import sys
import time
import urllib.error
import urllib.request
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

from typing_extensions import override

_TIMES = re.compile(r"&(?:start|end|time)=[^&]*")
MOMENTS = 4
APART_SECONDS = 15
"""Between two moments the real exporters were scraped once."""


class Replay(ThreadingHTTPServer):
    """Remembers every answer by moment and question."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, url: str, step: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url, self.step = url, step
        self.began = time.time()
        self.known: dict[tuple[int, str, str], tuple[int, bytes]] = {}

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked is gone."""

    @property
    def moment(self) -> int:
        """At which of the moments it stands."""
        return int((time.time() - self.began) / self.step) % MOMENTS

    def at(self, moment: int) -> float:
        """When that was, by the real server's clock."""
        return self.began - APART_SECONDS * (MOMENTS - 1 - moment)

    def answer(self, moment: int, path: str, query: str) -> tuple[int, bytes]:
        """Status and body; where its times are the asker's own, any like it will do."""
        key = (moment, path, _TIMES.sub("", query))
        if key not in self.known:
            self.known[key] = self._ask(self.at(moment), path, query)
        return self.known[key]

    def _ask(self, at: float, path: str, query: str) -> tuple[int, bytes]:
        asked = f"{query}&time={at:.3f}" if path.endswith("/query") and "&time=" not in query else query
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{asked}", timeout=60) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers a question."""
        replay = self.server
        assert isinstance(replay, Replay)
        moment, target = replay.moment, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        query = urlencode([*parse_qsl(target.query), *parse_qsl(body)])
        status, told = replay.answer(moment, target.path, query)
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(told)}\r\n"
        date = formatdate(replay.at(moment), usegmt=True)
        self.wfile.write(f"{head}Date: {date}\r\n\r\n".encode() + told)

    do_POST = do_GET  # noqa: N815  http.server's name

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    replay = Replay(sys.argv[1], float(sys.argv[2]))
    print(replay.server_port, flush=True)
    replay.serve_forever()
