"""The floor of a one-shot command: httpx without click, the same requests in four threads, every value printed."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

sys.modules["click"] = None  # type: ignore[assignment]  # httpx imports its own command line where click is there

import httpx  # noqa: E402  after click was hidden from it


def main(url: str, requests_file: str) -> None:
    """Sends what is in the file and prints every sample's labels and value."""
    with open(requests_file) as file:  # noqa: PTH123 - pathlib would cost an import
        requests: list[list[str]] = json.load(file)
    client = httpx.Client(base_url=url)

    def ask(request: list[str]) -> list[Any]:
        method, target, body = request
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "identity"}
        data: dict[str, Any] | list[Any] | None = json.loads(
            client.request(method, target, content=body, headers=headers).content
        )["data"]
        return data.get("result", []) if isinstance(data, dict) else []

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(ask, requests))
    json.dump([[sample["metric"], sample.get("value")] for result in results for sample in result], sys.stdout)


main(*sys.argv[1:])
