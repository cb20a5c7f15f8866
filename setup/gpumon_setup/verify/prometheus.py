"""The master's Prometheus through prometheus-api-client, whose requests the master itself carries out."""

from __future__ import annotations

import io
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.adapters import BaseAdapter
from urllib3.util import Retry

from gpumon.text import shown
from gpumon_setup.host import Host
from gpumon_setup.verify.fetching import NotFetched, fetched


class Unanswered(Exception):
    """Prometheus did not answer as it does; says why in a few words."""


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody whom it scrapes."""

    job: str
    instance: str
    node: str
    health: str
    """ "up", "down", or "unknown" before the first scrape."""
    error: str
    """What the last scrape complained of; "" when it did not."""
    scraped_at: float | None = None
    """When the last scrape began, by the master's clock; None when that is not said."""


class MasterPrometheus:
    """It listens on the master's loopback, so the master asks it: wherever gpumon runs, the way is the same."""

    def __init__(self, master: Host, address: str) -> None:
        self._url = f"http://{address}"
        self._session = requests.Session()
        connect: Any = PrometheusConnect  # its annotations say less than it takes
        self._client = connect(self._url, retry=Retry(total=0), session=self._session)
        self._session.mount(f"{self._url}/", _ByHost(master))  # longer than its own, so this one is taken

    def targets(self) -> tuple[Target, ...]:
        """All that it scrapes; raises Unanswered."""
        with _asking():
            told: Any = self._client.get_targets(state="active")
            return tuple(_target(one) for one in told["activeTargets"] or ())

    def by_label(self, query: str, label: str) -> Mapping[str, float]:
        """A query's values by one of its labels; raises Unanswered."""
        with _asking():
            told: Any = self._client.custom_query(query)
            return {str(one["metric"].get(label, "")): float(one["value"][1]) for one in told}

    def rule_groups(self) -> Mapping[str, Sequence[str]]:
        """The health of rules by the names of their groups: "ok", "err", "unknown"; raises Unanswered."""
        with _asking():
            answer = self._session.get(f"{self._url}/api/v1/rules")
            groups: Any = answer.json()["data"]["groups"]
            return {str(group["name"]): [str(rule["health"]) for rule in group["rules"]] for group in groups}

    def close(self) -> None:
        """Lets go."""
        self._client.close()


class _ByHost(BaseAdapter):
    """Requests of a session, carried out by a machine."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One request; what it carries beside its address is not needed here."""
        try:
            answer = fetched(self._host, request.url or "")
        except NotFetched as reason:
            raise requests.ConnectionError(str(reason)) from None
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, request.url or "", request
        response.raw = io.BytesIO(answer.body)
        return response

    def close(self) -> None:
        """Nothing is held."""


@contextmanager
def _asking() -> Generator[None]:
    try:
        yield
    except requests.JSONDecodeError:
        raise Unanswered("what answers there is no Prometheus") from None
    except requests.RequestException as error:
        raise Unanswered(shown(str(error), 200)) from None
    except PrometheusApiClientException as error:
        raise Unanswered(shown(str(error), 200)) from None
    except (KeyError, TypeError, ValueError, IndexError):
        raise Unanswered("its answer came in a form that Prometheus does not use") from None


def _target(told: Mapping[str, Any]) -> Target:
    labels: Mapping[str, str] = told["labels"]
    return Target(
        labels.get("job", ""),
        labels.get("instance", ""),
        labels.get("node", ""),
        str(told["health"]),
        str(told.get("lastError") or ""),
        _moment(str(told.get("lastScrape") or "")),
    )


def _moment(text: str) -> float | None:
    """A time as Prometheus writes it, to the nanosecond."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    if match is None:
        return None
    zone = "+00:00" if match[3] == "Z" else match[3]
    return datetime.fromisoformat(match[1] + zone).timestamp() + float(match[2] or 0)
