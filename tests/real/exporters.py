"""Exporters that serve a given text: what real exporters said once is scraped again by a real Prometheus."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from typing_extensions import override

CAPTURED = Path(__file__).parents[1] / "data" / "exporters"


def captured(name: str) -> str:
    """The text of one captured exporter, by its file's name without ending."""
    return (CAPTURED / f"{name}.prom").read_text()


class TextExporter:
    """One scrape target of the loopback; its text may change while it runs."""

    def __init__(self, text: str) -> None:
        self.text = text
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.text.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port, as a scrape target is written."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Frees the port: from now on a scrape is refused."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
