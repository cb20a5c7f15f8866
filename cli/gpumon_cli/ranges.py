"""Numbers written short, as Slurm writes them: "0-2,5"."""

from __future__ import annotations

from collections.abc import Iterable


def ranges(numbers: Iterable[str]) -> str:
    """Whole numbers in runs and other texts as they are, in their order: 0, 1, 2, 5, 7.3 -> "0-2,5,7.3"."""
    runs: list[list[str]] = []
    for number in numbers:
        follows = runs and runs[-1][-1].isdecimal() and number.isdecimal() and int(number) == int(runs[-1][-1]) + 1
        if follows:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else run[0] for run in runs)
