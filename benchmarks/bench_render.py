"""Crowded frames of every shape against a bare multislice of the same frame, in one run.

Run it as ``python benchmarks/bench_render.py [repeats]``; ``osog bench render`` is the same without
the other shapes.
"""

from __future__ import annotations

import sys

from osog.cli.bench.crowds import SHAPES, render_cases, render_table
from osog.cli.console import note, show


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    cases = [("sphere", 1_000), ("sphere", 40_000)]
    cases += [(shape, 1_000) for shape in SHAPES if shape != "sphere"]
    show(render_table(render_cases(cases, repeats=repeats, said=note)))


if __name__ == "__main__":
    main()
