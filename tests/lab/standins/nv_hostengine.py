#!/usr/bin/python3
"""Stands in for NVIDIA's host engine: it listens where nv-hostengine does, so that an exporter can find it."""

from __future__ import annotations

import socket
import sys

ADDRESS = ("127.0.0.1", 5555)


def main() -> None:
    """Takes connections until it is ended; what is said on them is nobody's business."""
    if "--version" in sys.argv:
        print("Version : 4.5.3")
        return
    with socket.create_server(ADDRESS) as listener:
        print(f"Host Engine Listener Started on {ADDRESS[0]}:{ADDRESS[1]}", flush=True)
        while True:
            listener.accept()[0].close()


if __name__ == "__main__":
    main()
