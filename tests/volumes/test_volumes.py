"""Volumes of voxels against exact shapes, finite differences and their own sums."""

import time
from typing import Any

import numpy as np
import pytest
import torch

from osog.exit_wave import plan_sampling
from osog.exit_wave.deposit import deposited
from osog.exit_wave.raster import Raster
from osog.rendering import render
from osog.rendering.forward_model import ForwardModel
from osog.sample import sample
from osog.scene import Mesh, Scene, SceneError, VoxelArray

RADIUS = 1.5


def ball(voxel: float) -> np.ndarray:
    """Share of each voxel that a ball fills."""
    n = int(np.ceil(2 * RADIUS / voxel)) + 3
    steps = (np.arange(4) - 1.5) / 4 * voxel
    line = ((np.arange(n) - (n - 1) / 2)[:, None] * voxel + steps).reshape(-1)
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    inside = x * x + y * y + z * z <= RADIUS**2
    return inside.reshape(n, 4, n, 4, n, 4).mean((1, 3, 5)).astype(np.float32)


def scene(shape: Any, kind: str = "dic", angles: Any = (0, 0, 0), **material: Any) -> Scene:
    place = {"x_um": 3.237, "y_um": 3.261, "z_um": 0.113, "orientation_deg": angles}
    return Scene.parse(
        {
            "grid": {"shape": [64, 64], "pixel_size_um": 0.1},
            "camera": None,
            "populations": [
                {
                    "name": "cell",
                    "shape": shape,
                    "scattering": "slabs",
                    "material": {"index": 1.36, **material},
                    "particles": [place],
                }
            ],
            "microscope": {
                "modality": {"kind": kind},
                "numerical_aperture": 0.8,
                "focus_um": 2.0 if kind == "brightfield" else 0.0,
            },
        }
    )


def filled(array: Any, voxel: Any, holds: str = "occupancy", **more: Any) -> dict[str, Any]:
    return {"kind": "volume", "array": array, "holds": holds, "voxel_um": voxel, **more}


@pytest.mark.parametrize("kind", ["dic", "phase_contrast", "brightfield", "fluorescence"])
@pytest.mark.parametrize("angles", [(0, 0, 0), (31, 17, 23)])
def test_a_ball_of_voxels_looks_like_a_ball(kind, angles):
    exact = render(scene({"kind": "sphere", "radius_um": RADIUS}, kind), "cpu").image.double()
    contrast = (exact - exact[0, 0]).norm()
    errors = []
    for voxel in (0.3, 0.15):
        image = render(scene(filled(ball(voxel), voxel), kind, angles), "cpu").image.double()
        errors.append(float((image - exact).norm() / contrast))
    assert errors[1] < 0.12
    assert errors[0] / errors[1] > 2  # second order would be 4


def test_sums_are_conserved_in_every_turn():
    rng = np.random.default_rng(0)
    array = rng.random((8, 11, 9)).astype(np.float32)
    voxel = (0.31, 0.12, 0.17)
    for angles in ((0, 0, 0), (90, 0, 0), (33, 21, -50)):
        made = scene(filled(array, voxel), angles=angles)
        batch = sample(made, dtype=torch.float64)
        plan = plan_sampling(made, batch)
        slabs = deposited(batch, batch.delta_index, Raster(batch, plan))
        found = float(slabs.sum()) * plan.pitch_um[0] * plan.pitch_um[1]
        wanted = float(array.sum(dtype=float)) * float(np.prod(voxel)) * float(batch.delta_index[0])
        assert found == pytest.approx(wanted, rel=1e-3)


def test_gradients_in_pose_scale_and_numbers_are_true():
    labels = np.zeros((7, 10, 12), np.uint8)
    labels[1:6, 1:8, 2:10], labels[2:4, 3:6, 5:8] = 1, 3
    own = [{"label": 3, "index": 1.39}]
    made = scene(filled(labels, (0.3, 0.2, 0.25), "labels", labels=own), angles=(31, 17, 23))
    names = [
        *(f"particles[0].{axis}_um" for axis in "xyz"),
        *(f"particles[0].orientation_deg[{k}]" for k in range(3)),
        *(f"populations.cell.shape.voxel_um[{k}]" for k in range(3)),
        "populations.cell.shape.labels[0].index",
        "populations.cell.material.index",
    ]
    compare(
        made, {name: torch.tensor(float(made.get(name)), dtype=torch.float64) for name in names}
    )


def test_gradients_in_an_array_of_indices_are_true():
    array = 1.333 + 0.03 * np.random.default_rng(1).random((5, 6, 7))
    made = scene(filled(array, (0.3, 0.2, 0.25), "index"), angles=(31, 17, 23))
    compare(made, {"populations.cell.shape.array": torch.tensor(array)})


def test_gradients_in_pose_and_unit_of_a_mesh_are_true(tmp_path):
    import trimesh

    trimesh.creation.box((2.0, 1.4, 1.1)).export(tmp_path / "body.stl")
    shape = {"kind": "mesh", "surface": str(tmp_path / "body.stl"), "resolution": 12}
    made = scene({**shape, "unit_um": 1.2}, angles=(31, 17, 23))
    names = (
        "populations.cell.shape.unit_um", "particles[0].x_um", "particles[0].orientation_deg[1]",
    )  # fmt: skip
    compare(made, {n: torch.tensor(float(made.get(n)), dtype=torch.float64) for n in names})


def compare(made: Scene, values: dict[str, torch.Tensor]) -> None:
    model = ForwardModel(made, values=values)
    own = {name: value.clone().requires_grad_() for name, value in values.items()}
    image = model.image(own)
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(image.shape, generator=generator, dtype=torch.float64)
    (image * weights).sum().backward()
    for name, value in values.items():
        way = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        step = 1e-5
        ends = [
            float((model.image({**values, name: value + sign * step * way}) * weights).sum())
            for sign in (1, -1)
        ]
        slope = float((own[name].grad * way).sum())
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-3, abs=1e-6), name


def test_a_labels_phantom_of_256_cubed_renders_in_three_modalities():
    line = np.linspace(-1, 1, 256, dtype=np.float32)
    z, y, x = np.meshgrid(line, line, line, indexing="ij", sparse=True)
    labels = (x * x + y * y + z * z < 0.8).astype(np.uint8)
    labels[(x - 0.2) ** 2 + y * y + z * z < 0.15] = 2
    array = VoxelArray.of(labels)
    start = time.process_time()
    for kind in ("dic", "phase_contrast", "fluorescence"):
        image = render(scene(filled(array, 0.02, "labels"), kind), "cpu").image
        assert bool(torch.isfinite(image).all()) and float(image.std()) > 1e-3 * float(image.mean())
    assert time.process_time() - start < 2  # 0.6 on one thread


def test_each_label_is_an_instance():
    labels = np.zeros((8, 20, 20), np.uint8)
    labels[:, 2:8, 3:17], labels[:, 12:18, 3:17] = 5, 9
    frame = render(
        scene(filled(labels, 0.1, "labels")), "cpu", outputs=("instances", "boxes", "opd")
    )
    assert frame.instances is not None and frame.boxes is not None and frame.opd is not None
    assert frame.instances.unique().tolist() == [0, 1, 2]
    assert frame.boxes[:, 2:4].tolist() == [pytest.approx([14.0, 6.0], abs=1e-3)] * 2
    for number, box in enumerate(frame.boxes, start=1):
        rows, columns = torch.nonzero(frame.instances == number).unbind(1)
        assert len(rows) == 6 * 14
        middle = [float(columns.double().mean()), float(rows.double().mean())]
        assert middle == pytest.approx(box[:2].tolist(), abs=0.5)
    wanted = 8 * 2 * 6 * 14 * 0.1 * (1.36 - 1.333)
    assert float(frame.opd.sum()) == pytest.approx(wanted, rel=1e-3)
    assert "voxels 0.1 µm" in frame.explain


def test_files_keep_arrays_and_their_voxels(tmp_path):
    import tifffile
    import zarr

    array = np.random.default_rng(0).integers(0, 4, (5, 6, 7)).astype(np.uint8)
    np.save(tmp_path / "a.npy", array)
    sizes = {"PhysicalSizeX": 0.1, "PhysicalSizeY": 0.2, "PhysicalSizeZ": 300}
    units = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm", "PhysicalSizeZUnit": "nm"}
    tifffile.imwrite(
        tmp_path / "a.ome.tif", array, ome=True, metadata={"axes": "ZYX", **sizes, **units}
    )
    group = zarr.open_group(str(tmp_path / "a.ome.zarr"), mode="w", zarr_format=2)
    group.create_array("0", data=array)
    scale = {"type": "scale", "scale": [0.3, 0.2, 0.1]}
    group.attrs["multiscales"] = [
        {
            "axes": [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"],
            "datasets": [{"path": "0", "coordinateTransformations": [scale]}],
        }
    ]
    for name in ("a.ome.tif", "a.ome.zarr"):
        read = VoxelArray.of(tmp_path / name)
        assert np.array_equal(read.data, array)
        assert read.voxel_um == pytest.approx((0.3, 0.2, 0.1))
    made = scene(filled(array, (0.3, 0.2, 0.1), "labels"))
    made.save(tmp_path / "scene.yaml")  # an array in memory goes to a file beside the scene
    assert Scene.load(tmp_path / "scene.yaml") == made
    text = (tmp_path / "scene.yaml").read_text(encoding="utf-8")
    assert "memory:" not in text and str(tmp_path) not in text


@pytest.mark.parametrize("kind", ["volume", "mesh"])
def test_a_file_that_changed_after_the_scene_was_saved_is_noticed(tmp_path, kind):
    import trimesh

    def write(size: float) -> None:
        if kind == "volume":
            np.save(tmp_path / "body.npy", np.full((4, 5, 6), int(size), np.uint8))
        else:
            trimesh.creation.box((size, 1, 1)).export(tmp_path / "body.stl")

    write(2)
    shape = filled(str(tmp_path / "body.npy"), 0.2, "labels")
    if kind == "mesh":
        shape = {"kind": "mesh", "surface": str(tmp_path / "body.stl"), "resolution": 8}
    made = scene(shape)
    made.save(tmp_path / "scene.yaml")
    kept = Scene.load(tmp_path / "scene.yaml")
    assert kept == made and kept.populations[0].shape.digest is None
    assert "digest" not in made.to_json()
    write(3)
    with pytest.raises(SceneError, match="has changed since the scene was saved") as found:
        Scene.load(tmp_path / "scene.yaml")
    assert len(str(found.value).splitlines()) == 1
    text = (tmp_path / "scene.yaml").read_text(encoding="utf-8").splitlines()
    (tmp_path / "scene.yaml").write_text("\n".join(t for t in text if "digest" not in t), "utf-8")
    assert Scene.load(tmp_path / "scene.yaml") != made


def test_a_mesh_keeps_its_volume(tmp_path):
    import trimesh

    body = trimesh.creation.icosphere(3, 1.5)
    for end in ("stl", "obj", "ply"):
        body.export(tmp_path / f"body.{end}")
        grid = Mesh(surface=tmp_path / f"body.{end}", resolution=48).grid
        assert grid.voxel_um is not None
        found = float(grid.data.sum(dtype=float)) * grid.voxel_um[0] ** 3
        assert found == pytest.approx(body.volume, rel=1e-3)
    trimesh.Trimesh(body.vertices, body.faces[1:]).export(tmp_path / "open.stl")
    with pytest.raises(SceneError, match="open surface"):
        scene({"kind": "mesh", "surface": str(tmp_path / "open.stl")})


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (filled(np.zeros((4, 5), np.uint8), 0.1, "labels"), "has 2 axes"),
        (filled(np.full((2, 2, 2), np.nan), 0.1), "NaN"),
        (filled(np.zeros((2, 2, 2), np.uint8), 0.1, "labels"), "holds 0 labels"),
        (filled("nowhere.npy", 0.1), "no such file"),
        (filled(np.full((2, 2, 2), 9.0), 0.1, "index"), "index goes from"),
        ({"kind": "volume", "array": np.ones((2, 2, 2)), "voxel_um": 0.1}, "holds must say"),
    ],
)
def test_bad_arrays_are_refused_in_one_sentence(shape, words):
    with pytest.raises(SceneError, match=words) as refused:
        scene(shape)
    assert "\n" not in str(refused.value)


def test_light_that_comes_back_is_refused():
    with pytest.raises(SceneError, match="voxels have no surfaces"):
        scene({"kind": "volume"}, "reflection")
