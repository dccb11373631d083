"""What a person who drags sliders waits for, preset by preset.

Run it as ``python benchmarks/bench_live.py [repeats]``; ``osog bench live`` is the same.
"""

from __future__ import annotations

import sys

from osog import presets
from osog.cli.bench.live import live_cases, live_table
from osog.cli.console import note, show


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    show(live_table(live_cases(list(presets.names()), repeats=repeats, said=note)))


if __name__ == "__main__":
    main()
