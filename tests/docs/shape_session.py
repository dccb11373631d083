"""A user's session with the shape of the page, which lies beside it as the module ``lens``.

``python shape_session.py FOLDER`` prints what happened as JSON and writes scenes to the folder.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

import torch

import osog
from helpers.shape_laws import LAWS
from osog.geometry import SHAPES, register
from osog.rendering import forward
from osog.sample import explicit, moving, sample
from osog.scene import SHAPES as KINDS
from osog.scene import Scene, SceneError
from osog.scene.parameters import continuous, describe, get

BODY = {"kind": "lens", "thickness_um": 1.2, "diameter_um": 3.0}


def refused(population: dict[str, Any]) -> str:
    """Words in which a population is refused."""
    try:
        Scene.parse({"populations": [{"name": "p", **population}]})
    except SceneError as error:
        return str(error)
    return ""


def broken_laws() -> dict[str, str]:
    """Laws of shapes that it does not obey, and where."""
    broken = {}
    for law in LAWS:
        try:
            law(BODY)
        except AssertionError:
            broken[law.__name__] = traceback.format_exc()
    return broken


def schema() -> dict[str, Any]:
    """What the JSON schema says of it."""
    known = Scene.model_json_schema()["$defs"]
    options = known["Population"]["properties"]["shape"]["anyOf"]  # beside a choice of shapes
    shape = next(one for one in options if "discriminator" in one)
    return {
        "fields": sorted(known["LensModel"]["properties"]),
        "kinds": sorted(shape["discriminator"]["mapping"]),
        "of particles": "thickness_um" in known["Particle"]["properties"],
        "anything else": known["Particle"]["additionalProperties"],
    }


def listed_by_hand(scene: Scene, folder: Path) -> dict[str, Any]:
    """Explicit particles: files, names, changes."""
    listed = explicit(scene, 3)
    files = [folder / "scene.yaml", folder / "scene.json"]
    for file in files:
        listed.save(file)
    first = "particles[0].thickness_um"
    changed = listed.updated({first: 1.75, "particles[1].diameter_um": 3.0})
    sizes = sample(changed, dtype=torch.float64).size
    return {
        "read back": [Scene.load(file) == listed for file in files],
        "the same": torch.equal(sample(scene, 3).size, sample(listed, 0).size),
        "names": [p.name for p in continuous(listed) if p.name.startswith("particles[0]")],
        "changed": [get(changed, first), float(sizes[0, 0]), float(sizes[1, 2])],
        "limits": describe(changed, first).limits,
    }


def derivative(scene: Scene) -> list[float]:
    """Slope of a weighted sum of pixels by the thickness, and its finite difference."""
    name = "populations.particles.shape.thickness_um"
    weights = torch.linspace(0, 1, 1600, dtype=torch.float64).view(40, 40)

    def weighted(value: torch.Tensor) -> torch.Tensor:
        return (forward(scene, {name: value}) * weights).sum()

    value = torch.tensor(1.1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(weighted(value), value)
    with torch.no_grad():
        step = float(weighted(value + 1e-4) - weighted(value - 1e-4))
    return [float(slope), step / 2e-4]


def distance_moved(scene: Scene) -> float:
    """How far a particle diffuses in two steps, in µm."""
    free = {"series.frames": 3, "populations.particles.motion.diffusion_um2_per_s": None}
    scene = scene.updated(free)
    first, _, last = moving(sample(scene), scene, 0)
    return float((last.position - first.position).norm())


def main() -> None:
    before = [repr(shape) for shape in SHAPES]
    import lens  # type: ignore[import-not-found]

    after = [repr(shape) for shape in SHAPES]
    labelled = osog.render(lens.scene, "cpu", 3, ("image", "instances", "boxes"))
    single = Scene.parse(
        {
            "grid": {"shape": [40, 40], "pixel_size_um": 0.2},
            "populations": [{"shape": {"kind": "lens"}, "particles": [{"x_um": 4.0, "y_um": 4.0}]}],
            "microscope": {"modality": {"kind": "phase"}},
        }
    )
    body = {"shape": {"kind": "lens"}}
    answer = {
        "shapes": [before, after],
        "image": [list(lens.frame.image.shape), float(lens.frame.image.std())],
        "labels": [int(labelled.instances.max()), bool((labelled.boxes[:, 2:4] > 0).all())],
        "laws": broken_laws(),
        "refused": {
            "unknown": refused({"shape": {"kind": "cube"}}),
            "thick": refused({"shape": {"kind": "lens", "thickness_um": 9}}),
            "limits": refused({"shape": {"kind": "lens", "thickness_um": -1}}),
            "field": refused({"shape": {"kind": "lens", "radius_um": 1}}),
            "particle": refused({**body, "particles": [{"thickness_um": 5}]}),
            "foreign": refused({"particles": [{"thickness_um": 1}]}),
            "odd": refused({**body, "particles": [{"thickness_um": "flat"}]}),
            "mie": refused({**body, "scattering": "mie"}),
        },
        "schema": schema(),
        "listed": listed_by_hand(lens.scene, Path(sys.argv[1])),
        "added": sample(single.updated({"particles[0].thickness_um": 2.0})).size[0].tolist(),
        "slopes": derivative(single),
        "moved": distance_moved(single),
    }
    count = len(SHAPES)
    register(lens.Lens())
    answer["registered again"] = [len(SHAPES) - count, list(KINDS.models).count("lens")]
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
