"""The rhythms of each kind of work: loading, training steps, validation, checkpoints, serving, waiting for data."""

from __future__ import annotations

import random

from gpumon_demo.rhythm import Activity, Kind, Rhythm

_VARIANTS = 4


class Rhythms:
    """All rhythms of one simulation: some of each kind, as the seed has it."""

    def __init__(self, seed: int) -> None:
        self._by_kind = {
            kind: [_made(kind, random.Random(f"rhythm {seed} {kind.name} {variant}")) for variant in range(_VARIANTS)]  # noqa: S311  a simulation needs repeatable numbers, not secret ones
            for kind in Kind
        }

    def of(self, kind: Kind, variant: int) -> Rhythm:
        """One of a kind's rhythms."""
        return self._by_kind[kind][variant % _VARIANTS]


def _made(kind: Kind, rng: random.Random) -> Rhythm:
    maker = {
        Kind.TRAIN: _train,
        Kind.FINETUNE: _finetune,
        Kind.SERVE: _serve,
        Kind.SIMULATE: _simulate,
        Kind.STARVED: _starved,
        Kind.INTERACTIVE: _interactive,
        Kind.CPU: _cpu,
        Kind.STUCK: _stuck,
    }[kind]
    return maker(rng)


def _load(rng: random.Random, ticks: int) -> list[Activity]:
    """Programs start, data comes from disk and network; GPUs hardly work, their memory fills."""
    return [
        Activity(
            busy=rng.uniform(0.0, 0.09),
            sm=0.02,
            power=rng.uniform(0.03, 0.1),
            memory=0.06 + 0.5 * place / ticks,
            cpu=rng.uniform(0.35, 0.6),
            read=rng.uniform(1.5e8, 4e8),
            received=rng.uniform(0.5e8, 1.5e8),
            sent=2e6,
        )
        for place in range(ticks)
    ]


def _steps(rng: random.Random, ticks: int, busy: float, tensor: float, memory: float) -> list[Activity]:
    """Training steps: high and steady."""
    found: list[Activity] = []
    for _ in range(ticks):
        use = min(1.0, busy + rng.uniform(-0.035, 0.03))
        found.append(
            Activity(
                busy=use,
                sm=use * rng.uniform(0.82, 0.9),
                tensor=tensor * rng.uniform(0.92, 1.06),
                dram=use * rng.uniform(0.42, 0.55),
                power=min(0.93, use * rng.uniform(0.84, 0.93)),
                memory=memory,
                cpu=rng.uniform(0.22, 0.34),
                read=rng.uniform(2e6, 3e7),
                written=rng.uniform(1e4, 4e5),
                received=rng.uniform(2e7, 1.2e8),
                sent=rng.uniform(2e7, 1.2e8),
                link=use * rng.uniform(4e10, 9e10),
            )
        )
    return found


def _validation(rng: random.Random, ticks: int, memory: float) -> list[Activity]:
    return [
        Activity(
            busy=(use := rng.uniform(0.48, 0.7)),
            sm=use * 0.7,
            tensor=use * 0.2,
            dram=use * 0.4,
            power=use * 0.75,
            memory=memory,
            cpu=rng.uniform(0.3, 0.5),
            read=rng.uniform(5e7, 1.2e8),
            written=1e5,
            received=3e7,
            sent=1e7,
            link=use * 1e10,
        )
        for _ in range(ticks)
    ]


def _checkpoint(rng: random.Random, ticks: int, memory: float) -> list[Activity]:
    """Everything waits until the weights are on disk."""
    return [
        Activity(
            busy=rng.uniform(0.0, 0.12),
            sm=0.03,
            power=rng.uniform(0.06, 0.14),
            memory=memory,
            cpu=rng.uniform(0.08, 0.15),
            read=1e6,
            written=rng.uniform(2.5e8, 4.5e8),
            received=1e6,
            sent=rng.uniform(0.8e8, 1.6e8),
        )
        for _ in range(ticks)
    ]


def _train(rng: random.Random) -> Rhythm:
    memory = rng.uniform(0.82, 0.95)
    cycle = _steps(rng, rng.randint(90, 230), rng.uniform(0.94, 0.98), rng.uniform(0.35, 0.52), memory)
    cycle += _validation(rng, rng.randint(8, 20), memory) + _checkpoint(rng, rng.randint(4, 9), memory)
    return Rhythm(_load(rng, rng.randint(24, 50)), cycle)


def _finetune(rng: random.Random) -> Rhythm:
    memory = rng.uniform(0.5, 0.8)
    cycle = _steps(rng, rng.randint(40, 80), rng.uniform(0.82, 0.93), rng.uniform(0.2, 0.35), memory)
    cycle += _validation(rng, rng.randint(4, 8), memory) + _checkpoint(rng, rng.randint(2, 4), memory)
    return Rhythm(_load(rng, rng.randint(10, 24)), cycle)


def _serve(rng: random.Random) -> Rhythm:
    memory, cycle = rng.uniform(0.85, 0.93), list[Activity]()
    for _ in range(rng.randint(120, 200)):
        use = rng.triangular(0.08, 0.95, 0.4)
        cycle.append(
            Activity(use, use * 0.6, use * 0.25, use * 0.7, use * 0.6, memory, 0.2 * use, 2e5, 2e4, 4e6, 3e6, use * 5e9)
        )
    return Rhythm(_load(rng, rng.randint(12, 30)), cycle)


def _simulate(rng: random.Random) -> Rhythm:
    memory, cycle = rng.uniform(0.2, 0.45), list[Activity]()
    for place in range(rng.randint(150, 240)):
        use = rng.uniform(0.76, 0.9)
        is_writing = place % 40 > 37
        cycle.append(
            Activity(use, use * 0.9, 0.0, use * 0.35, use * 0.7, memory, 0.85, 1e5, 1.2e8 if is_writing else 1e5,
                     6e7, 6e7, use * 2e10)
        )  # fmt: skip
    return Rhythm(_load(rng, rng.randint(6, 14)), cycle)


def _starved(rng: random.Random) -> Rhythm:
    memory, cycle = rng.uniform(0.3, 0.6), list[Activity]()
    for place in range(rng.randint(90, 150)):
        use = rng.uniform(0.55, 0.8) if place % 5 == 0 else rng.uniform(0.02, 0.25)
        cycle.append(
            Activity(use, use * 0.6, use * 0.2, use * 0.3, use * 0.6, memory, rng.uniform(0.85, 0.97), 9e7, 1e5, 4e7,
                     1e6, use * 1e9)
        )  # fmt: skip
    return Rhythm(_load(rng, rng.randint(20, 40)), cycle)


def _interactive(rng: random.Random) -> Rhythm:
    memory = rng.uniform(0.02, 0.3)
    idle = Activity(memory=memory, power=0.02, cpu=0.01, read=2e4, written=1e4, received=3e4, sent=3e4)
    try_out = _validation(rng, rng.randint(3, 9), memory)
    return Rhythm(_load(rng, 6) + try_out, [idle] * rng.randint(900, 2400) + try_out)


def _cpu(rng: random.Random) -> Rhythm:
    cycle = [
        Activity(
            memory=rng.uniform(0.5, 0.8),
            cpu=rng.uniform(0.86, 0.95),
            read=rng.uniform(1e6, 4e7),
            written=rng.uniform(1e6, 2e7),
            received=rng.uniform(1e5, 2e7),
            sent=rng.uniform(1e5, 5e6),
        )
        for _ in range(rng.randint(60, 120))
    ]
    return Rhythm([Activity(memory=0.1, cpu=0.15, read=1.5e8, received=6e7)] * rng.randint(4, 12), cycle)


def _stuck(rng: random.Random) -> Rhythm:
    memory = rng.uniform(0.6, 0.9)
    lead = _load(rng, rng.randint(20, 40)) + _steps(rng, rng.randint(200, 700), 0.95, 0.4, memory)
    return Rhythm(lead, [Activity(memory=memory, power=0.06, cpu=0.02, read=1e4, written=1e4, received=2e4, sent=2e4)])
