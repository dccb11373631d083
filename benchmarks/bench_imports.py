"""Time until something is there: ``import osog``, help, a preset, a render, a window and a panel.

Run it as ``python benchmarks/bench_imports.py [repeats]``. Each row is the smallest processor time
of fresh interpreters, since a busy machine only ever adds to it, and the number of modules loaded;
*main* is that of the thread which a window would keep waiting. Rows of windows need a display with
OpenGL (such as ``xvfb-run`` gives) and are left out elsewhere. A loop of Python tells how quick
the machine is just then.
"""

from __future__ import annotations

import os
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
_VIEWER = "import napari; from qtpy.QtWidgets import QApplication; viewer = napari.Viewer()\n"
_MENU = "viewer.window.add_plugin_dock_widget('napari-osog', '{}'); QApplication.processEvents()"
WINDOWS = {
    "napari alone": f"{_VIEWER}QApplication.processEvents()",
    "Simulate from the menu": _VIEWER + _MENU.format("Simulate"),
    "Fit from the menu": _VIEWER + _MENU.format("Fit"),
    "napari-osog": (
        "from napari_osog.__main__ import open_window; from qtpy.QtWidgets import QApplication\n"
        "open_window(); QApplication.processEvents()"
    ),
}
"""Until the panels are there and the window answers; the first picture comes by a thread."""


_END = """
import os, sys, time
sys.stderr.write(f"\\n{time.thread_time()} {len(sys.modules)}")
sys.stderr.flush()
os._exit(0)
"""


def measured(code: str) -> tuple[float, float, float, int]:
    """Processor seconds, those of the main thread, elapsed seconds and modules of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    finished = subprocess.run(
        [sys.executable, "-c", code + "\n" + _END], check=True, capture_output=True, text=True
    )
    passed = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    main, modules = finished.stderr.splitlines()[-1].split()
    return processor, float(main), passed, int(modules)


def has_display() -> bool:
    """Whether a window can be opened here."""
    return sys.platform in ("win32", "darwin") or "DISPLAY" in os.environ


def loop_s() -> float:
    """Processor seconds of ten million turns of a loop."""
    begun = time.process_time()
    for _ in range(10_000_000):
        pass
    return time.process_time() - begun


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'':24}{'CPU s':>8}{'main s':>8}{'wall s':>8}{'modules':>9}")
    for name, code in (CASES | (WINDOWS if has_display() else {})).items():
        runs = [measured(code) for _ in range(repeats)]
        processor, main_s, passed = (min(run[k] for run in runs) for k in range(3))
        print(f"{name:24}{processor:8.2f}{main_s:8.2f}{passed:8.2f}{runs[0][3]:9}", flush=True)
    print(f"{'loop of 10⁷ turns':24}{loop_s():8.2f}")


if __name__ == "__main__":
    main()
