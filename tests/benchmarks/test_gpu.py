"""The script for machines with a GPU, run with the CPU in its place."""

import json
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def test_the_script_runs_and_finds_a_device_equal_to_itself(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    command = [sys.executable, "benchmarks/gpu.py", "--device", "cpu", "--quick"]
    command += ["--json", str(out), "--parts", "crowds,stream,live", "--threads", "1"]
    subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, timeout=240)
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["faults"] == {}
    (crowd,) = found["crowds"].values()
    assert crowd["image_counts"]["operations"] > 100
    assert 0 < crowd["focus_ms"]["median"] < crowd["render_ms"]["median"]


def test_a_wrong_image_shows(monkeypatch) -> None:
    """The comparison is of images, not of scenes: one changed pixel is found."""
    monkeypatch.syspath_prepend(str(_ROOT / "benchmarks"))
    import gpu
    import torch

    image = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
    other = image.clone()
    other[3, 4] += 0.01
    assert gpu.relative(image, image) == 0
    assert gpu.relative(image, other) > 1e-3
