"""The floor of a scrape: the same bytes for every request, ready in memory: one_page_server.py PORT FILE."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path


def serve(connection: socket.socket, answer: bytes) -> None:
    """Answers each request of a connection."""
    waiting = b""
    while piece := connection.recv(65536):
        waiting += piece
        while b"\r\n\r\n" in waiting:
            waiting = waiting.partition(b"\r\n\r\n")[2]
            connection.sendall(answer)
    connection.close()


def main(port: int, page: bytes) -> None:
    """Listens until it is ended."""
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(page)}\r\n\r\n".encode() + page
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection, answer), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]).read_bytes())
