"""A Prometheus in memory, for the closed set of queries that gpumon sends: samples in, JSON out, faults on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qs

import httpx

from samples import lines

Labels = dict[str, str]
Rows = list[tuple[Labels, str]]

_LOOKBACK_SECONDS = 30.0
"""A sample of `past` holds for so long, unless another one follows: staleness marks end a series at once there."""


@dataclass
class FakePrometheus:
    """Holds the newest sample of each series, of targets that are up and of such that fell silent."""

    now: float = 1_000_000.0
    series: list[tuple[Labels, str]] = field(default_factory=list["tuple[Labels, str]"])
    silent: list[tuple[Labels, str]] = field(default_factory=list["tuple[Labels, str]"])
    """Series of targets that are down: found by looking back only."""
    up: dict[tuple[str, str], bool] = field(default_factory=dict["tuple[str, str]", bool])
    heard: dict[tuple[str, str], float] = field(default_factory=dict["tuple[str, str]", float])
    fault: Callable[[str], httpx.Response | None] = field(default=lambda _: None)
    """Called with each query or path first; a response of its own is what is answered."""
    asked: list[str] = field(default_factory=list[str])
    """Every query and path, in order."""
    alerts: list[dict[str, object]] = field(default_factory=list["dict[str, object]"])
    interval: str = "15s"
    past: list[tuple[Labels, list[tuple[float, str]]]] = field(
        default_factory=list["tuple[Labels, list[tuple[float, str]]]"]
    )
    """What range queries find: the samples of each series, oldest first."""

    def remember(self, metric: str, values: Iterable[tuple[float, float | str]], **labels: str) -> None:
        """One series as it was, each sample as seconds before now and value."""
        samples = sorted((self.now - ago, str(value)) for ago, value in values)
        self.past.append(({"__name__": metric, **labels}, samples))

    def scrape(
        self, text: str, *, job: str, instance: str, is_up: bool = True, age: float = 2.0, **labels: str
    ) -> None:
        """Takes in one exposition as a target told it; when the target is not up, as it told it `age` seconds ago."""
        into = self.series if is_up else self.silent
        for name, own, value in lines(text):
            into.append(({"__name__": name, **own, **labels, "job": job, "instance": instance}, value))
        self.up[job, instance] = is_up
        self.heard[job, instance] = self.now - age

    def fall_silent(self, job: str, instance: str) -> None:
        """The target's next scrape fails."""
        kept: list[tuple[Labels, str]] = []
        for labels, value in self.series:
            is_its = (labels["job"], labels["instance"]) == (job, instance)
            (self.silent if is_its else kept).append((labels, value))
        self.series = kept
        self.up[job, instance] = False

    def transport(self) -> httpx.MockTransport:
        """What an httpx client needs to ask it."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self._told(request)
        answer.headers["Date"] = formatdate(self.now, usegmt=True)
        return answer

    def _told(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = parse_qs(request.content.decode()) or parse_qs(request.url.query.decode())
        promql = body.get("query", [""])[0]
        self.asked.append(promql or path)
        fault = self.fault(promql or path)
        if fault is not None:
            return fault
        if path.endswith("/alerts"):
            return _json({"alerts": self.alerts})
        if path.endswith("/targets"):
            return _json({"activeTargets": [self._target(*key) for key in self.up]})
        if path.endswith("/query_range"):
            start, end, step = (float(body[name][0]) for name in ("start", "end", "step"))
            return _json({"resultType": "matrix", "result": self._range(promql, start, end, step)})
        if promql.endswith(("s]", "m]")):
            return _json({"resultType": "matrix", "result": self._raw_up(promql)})
        return _json({"resultType": "vector", "result": [self._sample(*row) for row in self._evaluate(promql)]})

    def _range(self, promql: str, start: float, end: float, step: float) -> list[dict[str, object]]:
        found: dict[str, tuple[Labels, list[list[object]]]] = {}
        for turn in range(int((end - start) / step + 1e-6) + 1):
            at = start + turn * step
            for labels, value in self._evaluate(promql, at):
                found.setdefault(json.dumps(labels, sort_keys=True), (labels, []))[1].append([at, value])
        return [{"metric": labels, "values": values} for labels, values in found.values()]

    def _target(self, job: str, instance: str) -> dict[str, object]:
        is_up = self.up[job, instance]
        return {
            "labels": {"job": job, "instance": instance},
            "health": "up" if is_up else "down",
            "lastError": "" if is_up else "connection refused",
            "lastScrape": "2026-11-23T10:00:00.123456789Z",
            "scrapeInterval": self.interval,
        }

    def _sample(self, labels: Labels, value: str) -> dict[str, object]:
        return {"metric": labels, "value": [self.now, value]}

    def _raw_up(self, promql: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        for (job, instance), is_up in self.up.items():
            labels = {"__name__": "up", "job": job, "instance": instance}
            if _matches(promql.split("[", 1)[0], labels):
                heard = self.heard[job, instance]
                values = [[heard - 15, "1"], [heard, "1"]] + ([] if is_up else [[heard + 15, "0"], [heard + 30, "0"]])
                found.append({"metric": labels, "values": values})
        return found

    def _evaluate(self, promql: str, at: float | None = None) -> Iterable[tuple[Labels, str]]:
        """The answer now, or by what `past` holds at a moment."""
        if promql == "timestamp(up)":
            return [
                ({"job": job, "instance": instance}, str(self.heard[job, instance] if is_up else self.now))
                for (job, instance), is_up in self.up.items()
            ]
        if promql == "up == 0":
            return [
                ({"__name__": "up", "job": job, "instance": instance}, "0")
                for (job, instance), is_up in self.up.items()
                if not is_up
            ]
        if match := re.fullmatch(r"avg\((.*)\) / 100", promql):
            values = [float(value) for _, value in self._evaluate(match[1], at)]
            return [({}, str(sum(values) / len(values) / 100))] if values else []
        if match := re.fullmatch(r"last_over_time\((.*)\[\d+s\]\)", promql):
            return [row for row in (*self.series, *self.silent) if _matches(match[1], row[0])]
        if match := re.fullmatch(r"count by \(__name__\) \((.*)\)", promql):
            counts: dict[str, int] = {}
            for labels, _ in self._select(match[1], at):
                counts[labels["__name__"]] = counts.get(labels["__name__"], 0) + 1
            return [({"__name__": name}, str(number)) for name, number in counts.items()]
        if match := re.fullmatch(r"(.*) and on \((\w+)\) \((.*)\)", promql):
            there = {labels.get(match[2], "") for labels, _ in self._select(match[3], at)}
            return [row for row in self._evaluate(match[1], at) if row[0].get(match[2], "") in there]
        if match := re.fullmatch(r"sum by \((.*?)\) \((max by .*)\)", promql):
            return _grouped(self._evaluate(match[2], at), match[1], sum)
        if match := re.fullmatch(r"max by \((.*?)\) \((.*)\)", promql):
            return _grouped(self._evaluate(match[2], at), match[1], max)
        if match := re.fullmatch(r"max_over_time\((.*)\[(\d+)s\]\)", promql):
            return self._highest(match[1], float(match[2]), self.now if at is None else at)
        if " without " in promql:
            return []
        return self._select(promql, at)

    def _select(self, selector: str, at: float | None) -> Rows:
        rows = self.series if at is None else self._past(at)
        return [row for row in rows if _matches(selector, row[0])]

    def _highest(self, selector: str, seconds: float, at: float) -> Rows:
        found = (
            (labels, [float(value) for when, value in samples if at - seconds < when <= at])
            for labels, samples in self.past
            if _matches(selector, labels)
        )
        return [(labels, str(max(values))) for labels, values in found if values]

    def pass_time(self, seconds: float) -> None:
        """Time goes by, and every target that is up is scraped again."""
        self.now += seconds
        for target, is_up in self.up.items():
            self.heard[target] += seconds if is_up else 0.0

    def _past(self, at: float) -> Rows:
        told = (
            (labels, [value for when, value in samples if at - _LOOKBACK_SECONDS < when <= at])
            for labels, samples in self.past
        )
        return [(labels, values[-1]) for labels, values in told if values]


def _grouped(
    rows: Iterable[tuple[Labels, str]], by: str, combine: Callable[[Iterable[float]], float]
) -> list[tuple[Labels, str]]:
    names = [name.strip() for name in by.split(",")]
    groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for labels, value in rows:
        key = tuple((name, labels[name]) for name in names if labels.get(name))
        try:
            groups.setdefault(key, []).append(float(value))
        except ValueError:
            continue
    return [(dict(key), str(combine(values))) for key, values in groups.items()]


def _matches(selector: str, labels: Labels) -> bool:
    match = re.fullmatch(r"([a-zA-Z_:][\w:]*)?(?:\{(.*)\})?", selector, re.DOTALL)
    assert match, f"not a selector: {selector}"
    if match[1] and labels["__name__"] != match[1]:
        return False
    for name, operator, text in re.findall(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"', match[2] or ""):
        wanted = re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text)
        value = labels.get(name, "")
        is_equal = re.fullmatch(wanted, value) is not None if "~" in operator else wanted == value
        if is_equal == operator.startswith("!"):
            return False
    return True


def _json(data: object) -> httpx.Response:
    return httpx.Response(200, content=json.dumps({"status": "success", "data": data}))
