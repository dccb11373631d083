"""Time until something is there: ``import osog``, the help of each command, a preset, a render.

Run it as ``python benchmarks/bench_imports.py [repeats]``. Each row is the smallest processor time
of fresh interpreters, since a busy machine only ever adds to it, and the number of modules loaded.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

CASES = {
    "python alone": "",
    "import osog": "import osog",
    "osog --help": "from osog.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    "osog render --help": (
        "from osog.cli import main\ntry: main(['render', '--help'])\nexcept SystemExit: pass"
    ),
    "osog.presets.load": "import osog; osog.presets.load('beads-hologram')",
    "osog.Renderer": "import osog; osog.Renderer",
    "osog.fit": "import osog; osog.fit",
    "osog.datasets": "import osog; osog.datasets",
}


def measured(code: str) -> tuple[float, float, int]:
    """Processor seconds, elapsed seconds and modules of one fresh interpreter."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    finished = subprocess.run(
        [sys.executable, "-c", code + "\nimport sys; sys.stderr.write(str(len(sys.modules)))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    passed = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return processor, passed, int(finished.stderr)


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'':22}{'CPU s':>8}{'wall s':>8}{'modules':>9}")
    for name, code in CASES.items():
        runs = [measured(code) for _ in range(repeats)]
        processor, passed = min(run[0] for run in runs), min(run[1] for run in runs)
        print(f"{name:22}{processor:8.2f}{passed:8.2f}{runs[0][2]:9}")


if __name__ == "__main__":
    main()
