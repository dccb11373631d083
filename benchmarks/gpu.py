"""Check that a machine with a GPU is right, then say how fast it is.

Run it as ``python benchmarks/gpu.py --json OUT``. It needs torch, numpy, pydantic and what osog
itself imports, no network and no window, and takes more than five minutes. First it compiles the
kernels and compares them with torch, then it times crowded frames, compares the GPU with the CPU
(images, labels, gradients, noise), and times streams of small frames and the presets.
``--device cpu`` compares the CPU with itself, which checks this script.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from osog import ForwardModel, Renderer, Scene, presets
from osog.cli.bench import scenes
from osog.cli.bench.operations import Operations
from osog.exit_wave.compiled import choice
from osog.geometry import SHAPES as GEOMETRIES

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = ("instances", "boxes")
Work = Callable[[], dict[str, Any]]
SHAPES: dict[str, dict[str, Any]] = {
    "sphere": {"kind": "sphere", "radius_um": 1.0},
    "thin rod": {"kind": "rod", "length_um": 2.25, "radius_um": 0.3},
    "polyhedron": {"kind": "polyhedron", "size_um": [2.4, 1.5, 1.5]},
}
FURTHER: dict[str, dict[str, Any]] = {
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [1.0, 0.6, 0.3]},
    "cylinder": {"kind": "cylinder", "length_um": 2.0, "radius_um": 0.4},
    "box": {"kind": "box", "size_um": [2.0, 1.0, 0.15]},
    "tube": {"kind": "tube", "length_um": 2.0, "radius_um": 0.5, "wall_um": 0.1},
    "vesicle": {"kind": "vesicle", "semi_axes_um": [1.0, 0.9, 0.8], "wall_um": 0.2},
}
"""Shapes that have kernels besides."""


def crowd(shape: str, count: int, side: int = 1024, aperture: float = 0.8) -> Scene:
    """Describe a crowd of one of the shapes."""
    return scenes.crowd((SHAPES | FURTHER)[shape], count, side, aperture)


# What is compared.


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    """Root-mean-square difference over the r.m.s. deviation of the first from its mean."""
    a, b = a.detach().double().cpu(), b.detach().double().cpu()
    scale = (a - a.mean()).square().mean().sqrt().clamp_min(1e-12)
    return float((a - b).square().mean().sqrt() / scale)


def kernels(device: str) -> Iterator[tuple[str, Work]]:
    """Compile the kernels of every shape, and compare what they draw with torch."""
    for shape in SHAPES | FURTHER:
        yield shape, partial(one_kernel, shape, device)


def one_kernel(shape: str, device: str) -> dict[str, Any]:
    """Compare image and derivatives of 400 bodies, drawn by kernels and by torch in float64."""
    out: dict[str, Any] = {}
    scene = crowd(shape, 400, 256)
    name = scene.populations[0].shape.kind

    def drawn(kind: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        model = ForwardModel(scene, 3, kind, device)
        numbers = {
            n: torch.tensor(v, dtype=kind, device=device, requires_grad=True)
            for n, v in {
                "populations.bodies.material.index": 1.36,
                "microscope.numerical_aperture": 0.8,
            }.items()
        }
        image = model.image(numbers)
        rows = torch.linspace(0, 7, image.numel(), dtype=torch.float64).to(image)
        (image * rows.cos().view_as(image)).mean().backward()
        grads = [t.grad for t in numbers.values()]
        return image, torch.stack([g for g in grads if g is not None])

    with choice.use("off"):
        exact, slopes = drawn(torch.float64)
    if device.startswith("cuda"):
        geometry = next(g for g in GEOMETRIES if type(g).__name__.lower().startswith(name))
        for kind in (torch.float32, torch.float64):
            began = time.perf_counter()
            choice.compile_now(geometry, kind, "cuda")
            out[f"compile_{kind}_s"] = time.perf_counter() - began
    for way in ("off", "wait"):
        for kind in (torch.float32, torch.float64):
            with choice.use(way):
                image, mine = drawn(kind)
            label = f"{way} {str(kind).removeprefix('torch.')}"
            worst = ((mine.double() - slopes).abs() / slopes.abs()).max()
            out[label] = [relative(exact, image), float(worst)]
    return out


def equal_images(device: str) -> Iterator[tuple[str, Work]]:
    """Compare every preset, noise-free and with labels, between the CPU and the device."""
    for name in presets.names():
        scene = presets.load(name)
        yield f"preset {name}", partial(compared, scene, device)
    for shape in SHAPES:
        yield f"400 x {shape}", partial(compared, crowd(shape, 400, 256), device)


def compared(scene: Scene, device: str) -> dict[str, Any]:
    """Compare one scene, and two renders of it on the device."""
    quiet = scene.model_copy(update={"camera": None})
    wanted = ("image", *LABELS)
    with choice.use("off"):
        here = Renderer("cpu").render(quiet, 1, "draft", wanted)
    there = Renderer(device).render(quiet, 1, "draft", wanted)
    again = Renderer(device).render(quiet, 1, "draft", wanted)
    counts = [Renderer(d).render(scene, 1, "draft").image.double().cpu() for d in ("cpu", device)]
    same = (here.instances.cpu() == there.instances.cpu()).double().mean()
    return {
        "image": relative(here.image, there.image),
        "labels_equal": float(same),
        "same_bits_twice": bool((there.image == again.image).all()),
        "mean_counts": [float(c.mean()) for c in counts],
        "rms_counts": [float(c.std()) for c in counts],
    }


def equal_gradients(device: str) -> Iterator[tuple[str, Work]]:
    """Compare derivatives of a weighted sum of the image, float64 and float32."""
    names = [n for n in presets.names() if presets.load(n).series.frames == 1]
    for name in names:
        scene = presets.load(name)
        scene = scene.model_copy(update={"camera": None})
        first = scene.populations[0].name
        free = {
            "microscope.numerical_aperture": scene.microscope.numerical_aperture,
            f"populations.{first}.material.index": None,
        }
        yield f"gradients {name}", partial(gradients, scene, free, device)


def gradients(scene: Scene, free: dict[str, Any], device: str) -> dict[str, Any]:
    """Return the largest relative difference of the derivatives."""
    from osog.sample import Values

    found = {}
    for label, where, kind in (
        ("cpu", "cpu", torch.float64),
        ("float64", device, torch.float64),
        ("float32", device, torch.float32),
    ):
        model = ForwardModel(scene, 1, kind, where, "draft")
        numbers = {
            n: torch.tensor(
                float(Values(scene).number(n)) if v is None else v,
                dtype=kind,
                device=where,
                requires_grad=True,
            )
            for n, v in free.items()
        }
        image = model.image(numbers)
        rows = torch.linspace(0, 7, image.numel(), dtype=torch.float64).to(image)
        (image * rows.cos().view_as(image)).mean().backward()
        found[label] = {n: float(t.grad) if t.grad is not None else 0.0 for n, t in numbers.items()}
    worst = {
        label: max(
            abs(found[label][n] - found["cpu"][n]) / (abs(found["cpu"][n]) + 1e-12) for n in free
        )
        for label in ("float64", "float32")
    }
    return worst


# What is counted and timed.


def settled(device: str) -> None:
    """Wait for the device."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def timed(work: Callable[[], Any], device: str, repeats: int) -> dict[str, float]:
    """Time a piece of work after one round to warm up; milliseconds."""
    work()
    seen = []
    for _ in range(repeats):
        settled(device)
        start = time.perf_counter()
        work()
        settled(device)
        seen.append(1000 * (time.perf_counter() - start))
    return {"median": median(seen), "least": min(seen), "most": max(seen)}


def bandwidth(device: str) -> float:
    """GB/s of a large copy on the device, bytes read and written."""
    size = 2**28 if device.startswith("cuda") else 2**25
    a = torch.rand(size, device=device)
    b = torch.empty_like(a)
    took = timed(lambda: b.copy_(a), device, 5)
    return 8 * size / took["least"] / 1e6


def crowds(device: str, full: bool) -> Iterator[tuple[str, Work]]:
    """Time frames with many particles."""
    cases = [("sphere", 40_000, 1024, 0.8), ("thin rod", 40_000, 1024, 0.8)]
    cases += [("thin rod", 40_000, 1024, 0.4), ("polyhedron", 640, 1024, 0.4)]
    cases += [("sphere", 1_000_000, 4096, 0.8)] if full else []
    if not full:
        cases = [("sphere", 300, 256, 0.8)]
    for shape, count, side, aperture in cases:
        scene = crowd(shape, count, side, aperture)
        yield f"{count} x {shape}, {side}, NA {aperture}", partial(one_crowd, scene, device, count)


def one_crowd(scene: Scene, device: str, count: int) -> dict[str, Any]:
    """Time one crowded frame: whole, from drawn particles, its gradient, and a move of focus."""
    big = count > 100_000
    out: dict[str, Any] = {}
    renderer = Renderer(device)
    seed = [0]

    def whole() -> None:
        seed[0] += 1
        renderer.render(scene, seed[0])

    out["render_ms"] = timed(whole, device, 2 if big else 4)
    with torch.no_grad():
        model = ForwardModel(scene, 0, torch.float32, device)
        index = [1.36]

        def image() -> None:
            index[0] += 1e-5
            model.image({"populations.bodies.material.index": index[0]})

        out["image_ms"] = timed(image, device, 2 if big else 4)
        focus = [0.0]

        def refocus() -> None:
            focus[0] += 0.01
            model.image({"microscope.focus_um": focus[0]})

        out["focus_ms"] = timed(refocus, device, 4)
        with Operations(device) as counts:
            image()
        out["image_counts"] = counts.report()
        if not big:
            with Operations(device) as counts:
                whole()
            out["render_counts"] = counts.report()

    def both() -> None:
        n = torch.tensor(1.36, device=device, requires_grad=True)
        f = torch.tensor(0.5, device=device, requires_grad=True)
        values = {"populations.bodies.material.index": n, "microscope.focus_um": f}
        model.image(values).square().mean().backward()

    if not big:
        out["forward_backward_ms"] = timed(both, device, 3)
    if device.startswith("cuda"):
        out["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
        torch.cuda.reset_peak_memory_stats()
    return out


def streams(device: str, full: bool) -> Iterator[tuple[str, Work]]:
    """Time small labelled frames, one after another."""
    yield "256, 50 rods, DIC, labelled", partial(one_stream, device, 20 if full else 3)
    yield "the same, streamed", partial(trained_on, device, 48 if full else 9)


def one_stream(device: str, repeats: int) -> dict[str, Any]:
    """Time a new scene and a new sample each time."""
    renderer = Renderer(device)
    seed = [0]

    def frame() -> None:
        seed[0] += 1
        renderer.render(
            scenes.labelled_rods(focus_um=0.01 * (seed[0] % 100)),
            seed[0],
            outputs=("image", *LABELS),
        )

    took = timed(frame, device, repeats)
    with Operations(device) as counts:
        frame()
    return {**took, "per_second": 1000 / took["median"], "counts": counts.report()}


def trained_on(device: str, count: int) -> dict[str, Any]:
    """Time samples as a training loop takes them, and beside a step that needs the device alone."""
    from osog import datasets

    frames = datasets.stream(scenes.labelled_rods(), 5, device=device)
    samples = iter(frames)
    for _ in range(8):
        next(samples)
    out: dict[str, Any] = {}
    for label, step_s in (("alone", 0.0), ("beside 20 ms", 0.02)):
        start = time.perf_counter()
        for _ in range(count):
            next(samples)
            time.sleep(step_s)  # as a step does that waits for the device
        out[label + ", ms a sample"] = 1000 * (time.perf_counter() - start) / count
    samples.close()  # type: ignore[attr-defined]
    here = next(iter(datasets.stream(scenes.labelled_rods(), 5, count=1, device="cpu")))
    there = next(iter(datasets.stream(scenes.labelled_rods(), 5, count=1, device=device)))
    out["image"] = relative(here["image"], there["image"])
    out["labels_equal"] = float((here["instances"] == there["instances"]).double().mean())
    return out


def live(device: str, full: bool) -> Iterator[tuple[str, Work]]:
    """Time what a hand on a slider waits for."""
    for name in presets.names() if full else list(presets.names())[:1]:
        yield f"live {name}", partial(one_live, name, device)


def one_live(name: str, device: str) -> dict[str, Any]:
    """Time a new sample of a preset, and a move of its focus."""
    scene = presets.load(name)
    renderer = Renderer(device)
    seed, focus = [0], [0.0]

    def new() -> None:
        seed[0] += 1
        renderer.render(scene, seed[0])

    def move() -> None:
        focus[0] = 0.001 - focus[0]
        base = scene.microscope.focus_planes_um[0]
        optics = scene.microscope.model_copy(update={"focus_um": base + focus[0]})
        renderer.render(scene.model_copy(update={"microscope": optics}), 1)

    return {
        "sample_ms": timed(new, device, 3)["median"],
        "focus_ms": timed(move, device, 3)["median"],
    }


def profile(device: str, beside: Path | None) -> dict[str, Any]:
    """List where the time of the 40,000 rods goes on the device."""
    if not device.startswith("cuda"):
        return {}
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiled

    model = ForwardModel(crowd("thin rod", 40_000), 0, torch.float32, device)
    with torch.no_grad():
        model.image({})
        with profiled(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
            model.image({"populations.bodies.material.index": 1.361})
            settled(device)
    table = seen.key_averages().table(sort_by="cuda_time_total", row_limit=25)
    if beside is not None:
        beside.with_suffix(".profile.txt").write_text(table, encoding="utf-8")
    rows = [e for e in seen.key_averages() if e.self_device_time_total > 0]
    return {
        "device_ms": sum(e.self_device_time_total for e in rows) / 1000,
        "host_ms": sum(e.self_cpu_time_total for e in seen.key_averages()) / 1000,
        "kernels": {
            e.key[:70]: [e.count, round(e.self_device_time_total / 1000, 3)]
            for e in sorted(rows, key=lambda e: -e.self_device_time_total)[:20]
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--parts", default="kernels,crowds,profile,images,gradients,stream,live")
    parser.add_argument("--kernels", choices=("wait", "off"), default="wait", help="off for torch")
    parser.add_argument("--quick", action="store_true", help="small cases only")
    parser.add_argument("--threads", type=int, help="of torch on the CPU")
    chosen = parser.parse_args()
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    device, full = chosen.device, not chosen.quick
    report: dict[str, Any] = {"torch": torch.__version__, "device": device, "faults": {}}
    if device.startswith("cuda"):
        report["name"] = torch.cuda.get_device_name()
    report["copy_gb_per_s"] = bandwidth(device)
    print(json.dumps(report))
    parts: dict[str, Callable[[], Iterator[tuple[str, Work]]]] = {
        "kernels": lambda: kernels(device),
        "images": lambda: equal_images(device),
        "gradients": lambda: equal_gradients(device),
        "crowds": lambda: crowds(device, full),
        "stream": lambda: streams(device, full),
        "live": lambda: live(device, full),
        "profile": lambda: iter([("profile", partial(profile, device, chosen.json))]),
    }
    for part in chosen.parts.split(","):
        start = time.perf_counter()
        rows = report.setdefault(part, {})
        for name, work in parts[part]():
            try:
                with choice.use(chosen.kernels):
                    rows[name] = work()
            except Exception:  # every case is told of, whatever befalls another
                report["faults"][f"{part}: {name}"] = traceback.format_exc()
                continue
            print(name, json.dumps(rows[name])[:400], flush=True)
        report.setdefault("seconds", {})[part] = time.perf_counter() - start
        if chosen.json is not None:
            chosen.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    for name, words in report["faults"].items():
        print("FAULT", name, words[-1200:])
    print("seconds", report["seconds"], "faults", len(report["faults"]))


if __name__ == "__main__":
    main()
