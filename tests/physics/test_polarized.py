"""Laws of polarised light, against Jones calculus in numpy and the optics of uniaxial plates."""

from __future__ import annotations

from math import cos, pi, radians, sin
from typing import Any

import numpy as np
import pytest
import torch

from osog.exit_wave.birefringence import index_split
from osog.rendering import ForwardModel, Renderer, forward
from osog.sample import sample
from osog.scene import Camera, Scene
from osog.scene.parameters import replaced
from osog.waves.jones_matrices import polarizer_state

DOUBLE = torch.float64
WAVELENGTH = 0.55
MEDIUM = 1.54
UNBOUNDED = 900.0
"""Plates wider than every domain have no edge in it."""


def plate(
    birefringence: float, thickness_um: float, axis: tuple[float, ...], z_um: float = 0.0,
    index: float = MEDIUM, orientation: tuple[float, ...] = (0.0, 0.0, 0.0), name: str = "plate",
) -> dict[str, Any]:  # fmt: skip
    """One flat slab of crystal across the whole domain."""
    return {
        "name": name,
        "shape": {"kind": "box", "size_um": [UNBOUNDED, UNBOUNDED, thickness_um]},
        "material": {"index": index, "birefringence": birefringence, "optic_axis": list(axis)},
        "particles": [
            {"x_um": 2.0, "y_um": 2.0, "z_um": z_um, "orientation_deg": list(orientation)}
        ],
    }


def flat(azimuth_deg: float) -> tuple[float, float, float]:
    return cos(radians(azimuth_deg)), sin(radians(azimuth_deg)), 0.0


def scene_of(*populations: dict[str, Any], medium: float = MEDIUM, **microscope: Any) -> Scene:
    """Keywords of the modality and of the microscope, told apart by their names."""
    own = {"polarizer_deg", "analyzer_deg", "circular", "compensator_nm",
           "compensator_azimuth_deg", "extinction"}  # fmt: skip
    modality = {"kind": "polarized"} | {k: v for k, v in microscope.items() if k in own}
    optics = {k: v for k, v in microscope.items() if k not in own}
    return Scene.parse(
        {
            "grid": {"shape": [8, 8], "pixel_size_um": 0.5},
            "medium": {"index": medium},
            "populations": list(populations),
            "microscope": {
                "modality": modality,
                "numerical_aperture": 0.4,
                "wavelength_um": WAVELENGTH,
                **optics,
            },
            "camera": None,
            "numerics": {"padding_um": 2.0},
        }
    )


def level(*populations: dict[str, Any], **settings: Any) -> float:
    """Irradiance of a uniform sample."""
    image = forward(scene_of(*populations, **settings))
    assert float(image.max() - image.min()) < 1e-6
    return float(image.mean())


def turned(azimuth_deg: float) -> np.ndarray:
    c, s = cos(radians(azimuth_deg)), sin(radians(azimuth_deg))
    return np.array([[c, -s], [s, c]])


def retarder(retardance: float, azimuth_deg: float) -> np.ndarray:
    """Jones matrix with the slow axis along the azimuth, for exp(−iωt)."""
    diagonal = np.diag([np.exp(0.5j * retardance), np.exp(-0.5j * retardance)])
    return turned(azimuth_deg) @ diagonal @ turned(-azimuth_deg)


def linear(azimuth_deg: float) -> np.ndarray:
    return turned(azimuth_deg)[:, 0]


# ---------------------------------------------------------------- polars and plates


@pytest.mark.parametrize(("polarizer", "analyzer"), [(0, 0), (0, 90), (20, 65), (-30, 100)])
@pytest.mark.parametrize("circular", [False, True])
def test_malus(polarizer: float, analyzer: float, circular: bool) -> None:
    measured = level(polarizer_deg=polarizer, analyzer_deg=analyzer, circular=circular)
    assert measured == pytest.approx(cos(radians(analyzer - polarizer)) ** 2, abs=1e-12)


@pytest.mark.parametrize(("azimuth", "expected"), [(45.0, 0.999869), (22.5, 0.499935), (0.0, 0.0)])
def test_plate_between_crossed_polars(azimuth: float, expected: float) -> None:
    """sin²2θ sin²(Γ/2): quartz cut along its axis, 30 µm, 273 nm."""
    measured = level(plate(0.0091, 30.0, flat(azimuth)))
    assert measured == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("azimuth", [0.0, 17.0, 45.0, 80.0])
def test_plate_between_crossed_circular_polars(azimuth: float) -> None:
    """sin²(Γ/2) at any azimuth."""
    measured = level(plate(0.0091, 20.0, flat(azimuth)), circular=True)
    assert measured == pytest.approx(0.743376, abs=2e-6)


@pytest.mark.parametrize("turn", [0.0, 31.0])
def test_crystals_go_dark_four_times_a_turn(turn: float) -> None:
    """The polars turn together around the sample, or the sample between them."""
    levels = [
        level(plate(0.0091, 10.0, flat(a)), polarizer_deg=turn, analyzer_deg=turn + 90)
        for a in (turn, turn + 90, turn + 45, turn - 45)
    ]
    bright = sin(pi * 0.091 / WAVELENGTH) ** 2
    assert levels == pytest.approx([0.0, 0.0, bright, bright], abs=1e-6)


def test_quarter_wave_plate_makes_light_circular() -> None:
    quarter = plate(0.01, WAVELENGTH / 4 / 0.01, flat(45.0))
    levels = [level(quarter, analyzer_deg=a) for a in (0, 30, 90, 140)]
    assert levels == pytest.approx([0.5] * 4, abs=1e-6)


def test_circular_light_is_right_handed() -> None:
    """Born & Wolf §1.4.2: clockwise for who looks against the light, (1, −i)/√2 in exp(−iωt)."""
    state = polarizer_state(torch.tensor(25.0, dtype=DOUBLE), circular=True)
    assert float(state.norm()) == pytest.approx(1.0)
    assert complex(state[1] / state[0]) == pytest.approx(-1j, abs=1e-12)


@pytest.mark.parametrize(("azimuth", "sign"), [(45.0, 1), (-45.0, -1)])
@pytest.mark.parametrize("compensator", [137.5, 530.0])
def test_compensator_adds_to_the_plate_or_subtracts(
    azimuth: float, sign: int, compensator: float
) -> None:
    retardance = 0.0091 * 12.0 + sign * compensator * 1e-3
    measured = level(plate(0.0091, 12.0, flat(azimuth)), compensator_nm=compensator)
    assert measured == pytest.approx(sin(pi * retardance / WAVELENGTH) ** 2, abs=3e-6)


@pytest.mark.parametrize("analyzer", [110.0, 20.0, -35.0])
def test_circular_polars_with_a_compensator_in_between(analyzer: float) -> None:
    """Polariser, quarter wave, crystal, compensator, crossed quarter wave, analyser."""
    polarizer, azimuth, compensator = 20.0, 50.0, 137.5
    retardances = [2 * pi * r / WAVELENGTH for r in (0.0091 * 12.0, compensator * 1e-3)]
    state = retarder(pi / 2, polarizer - 45) @ linear(polarizer)
    state = retarder(retardances[1], 15.0) @ retarder(retardances[0], azimuth) @ state
    state = retarder(pi / 2, polarizer + 45) @ state
    measured = level(
        plate(0.0091, 12.0, flat(azimuth)), circular=True, polarizer_deg=polarizer,
        analyzer_deg=analyzer, compensator_nm=compensator, compensator_azimuth_deg=15.0,
    )  # fmt: skip
    assert measured == pytest.approx(abs(linear(analyzer) @ state) ** 2, abs=3e-6)


@pytest.mark.parametrize("wavelength", [0.45, 0.53, 0.65])
def test_compensator_is_a_path_difference(wavelength: float) -> None:
    """A first-order red plate blocks 530 nm between crossed polars, and no other colour."""
    measured = level(compensator_nm=530.0, wavelength_um=wavelength)
    assert measured == pytest.approx(sin(pi * 0.53 / wavelength) ** 2, abs=1e-12)


def test_negative_birefringence_is_slow_across_its_axis() -> None:
    with_red = {"compensator_nm": 137.5}
    one = level(plate(-0.0091, 12.0, flat(45.0)), **with_red)
    other = level(plate(0.0091, 12.0, flat(-45.0)), **with_red)
    assert one == pytest.approx(other, abs=1e-6)


def test_extinction_leak_adds_what_the_analyser_should_block() -> None:
    crystal, share = plate(0.0091, 12.0, flat(30.0)), 0.02
    crossed, parallel = level(crystal), level(crystal, analyzer_deg=0.0)
    measured = level(crystal, extinction=share)
    assert measured == pytest.approx(crossed + share * parallel, abs=1e-9)
    assert level(extinction=share) == pytest.approx(share, abs=1e-12)


# ---------------------------------------------------------------- uniaxial crystals in space


def test_quartz_seen_at_an_angle_to_its_axis() -> None:
    """Eigenvalues of the transverse impermeability, θ 60°: n_e(θ) − n_o = 0.00680246."""
    ordinary, extraordinary = 1.54426, 1.55335
    axis = np.array([sin(radians(60)) * cos(0.3), sin(radians(60)) * sin(0.3), 0.5])
    impermeability = np.eye(3) / ordinary**2 + np.outer(axis, axis) * (
        1 / extraordinary**2 - 1 / ordinary**2
    )
    indices = np.linalg.eigvalsh(impermeability[:2, :2]) ** -0.5
    assert indices[0] - indices[1] == pytest.approx(0.00680246, abs=1e-8)
    scene = scene_of(plate(extraordinary - ordinary, 10.0, tuple(axis), index=ordinary))
    batch = sample(scene, dtype=DOUBLE)
    medium = torch.tensor(MEDIUM, dtype=DOUBLE)
    mean, cosine, sine = index_split(batch, medium, torch.zeros(2, dtype=DOUBLE))
    assert float(torch.hypot(cosine, sine)[0]) == pytest.approx(indices[0] - indices[1], rel=1e-7)
    assert float(torch.atan2(sine, cosine)[0]) == pytest.approx(0.6, abs=1e-9)
    assert float(mean[0]) == pytest.approx(indices.mean() - MEDIUM, abs=1e-9)


def test_a_tilted_thick_plate_is_a_jones_matrix() -> None:
    """Turned by 25° about y in a medium of its own index: a longer path, another angle."""
    angle, thickness, b = radians(25), 15.0, 0.0091
    crystal = plate(b, thickness, (1, 0, 0), orientation=(0.0, 25.0, 0.0))
    scene = scene_of(crystal, polarizer_deg=45.0, analyzer_deg=135.0)
    # The plate does not close on itself across the periodic border of the domain.
    scene = replaced(scene, {"numerics.padding_um": 20.0})
    extraordinary = MEDIUM + b
    index = (sin(angle) ** 2 / MEDIUM**2 + cos(angle) ** 2 / extraordinary**2) ** -0.5
    retardance = 2 * pi / WAVELENGTH * (index - MEDIUM) * thickness / cos(angle)
    measured = forward(scene)
    assert float((measured - sin(retardance / 2) ** 2).abs().max()) < 5e-3


def refraction_oracle(
    ordinary: float, b: float, axis: np.ndarray, thickness: float, across: tuple[float, float]
) -> tuple[float, float]:
    """Retardance, and azimuth of the extraordinary ray's field about the ordinary ray.

    k_z of both rays in a plate of horizontal faces, from (k·a)²/n_o² + (k² − (k·a)²)/n_e² = k0².
    """
    k0 = 2 * pi / WAVELENGTH
    kx, ky = (k0 * c for c in across)
    ordinary_z = np.sqrt((k0 * ordinary) ** 2 - kx**2 - ky**2)
    split = 1 / ordinary**2 - 1 / (ordinary + b) ** 2
    along = axis[0] * kx + axis[1] * ky
    quadratic = [
        split * axis[2] ** 2 + 1 / (ordinary + b) ** 2,
        2 * split * axis[2] * along,
        split * along**2 + (kx**2 + ky**2) / (ordinary + b) ** 2 - k0**2,
    ]
    extraordinary_z = np.roots(quadratic).real.max()
    direction = np.array([kx, ky, ordinary_z]) / (k0 * ordinary)
    turn = np.cross([0, 0, 1], direction)
    cross = np.array([[0, -turn[2], turn[1]], [turn[2], 0, -turn[0]], [-turn[1], turn[0], 0]])
    frame = np.eye(3) + cross + cross @ cross / (1 + direction[2])
    seen = frame.T @ axis
    return (extraordinary_z - ordinary_z) * thickness, np.arctan2(seen[1], seen[0])


@pytest.mark.parametrize("axis", [(1, 0, 0), (0.5, 0.3, 0.8), (0, 0, 1)])
@pytest.mark.parametrize("azimuth", [0.0, 70.0])
def test_oblique_light_through_a_plate_is_refracted(
    axis: tuple[float, ...], azimuth: float
) -> None:
    """Quartz in water at 20° to the axis: within 0.2 % of k0 b d of the exact formula."""
    thickness, b, ordinary = 100.0, 0.0091, 1.54426
    aperture = 1.33 * sin(radians(20))
    across = aperture * cos(radians(azimuth)), aperture * sin(radians(azimuth))
    unit = np.array(axis) / np.linalg.norm(axis)
    retardance, direction = refraction_oracle(ordinary, b, unit, thickness, across)
    levels = [
        level(
            plate(b, thickness, axis, index=ordinary), medium=1.33, polarizer_deg=polarizer,
            analyzer_deg=polarizer + 90, numerical_aperture=0.6,
            oblique_numerical_aperture=aperture, oblique_azimuth_deg=azimuth,
        )
        for polarizer in (np.rad2deg(direction) - 45, np.rad2deg(direction))
    ]  # fmt: skip
    worst = 0.002 * 2 * pi / WAVELENGTH * b * thickness
    assert levels[0] == pytest.approx(sin(retardance / 2) ** 2, abs=worst / 2)
    assert levels[1] < 1e-6
    naive = 2 * pi / WAVELENGTH * b * thickness * (1 - unit[2] ** 2)
    assert abs(retardance - naive) > 5 * worst  # what an axial ray would see


def test_condenser_lights_up_a_plate_cut_across_its_axis() -> None:
    """Dark along the axis, not in the cone: the mean over the interference figure."""
    thickness, b, ordinary, aperture = 120.0, 0.0091, 1.54426, 0.35
    crystal = plate(b, thickness, (0, 0, 1), index=ordinary)
    assert level(crystal, medium=1.33) == pytest.approx(0.0, abs=1e-12)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    expected = 0.0
    for node, weight in zip(nodes, weights, strict=True):
        radius = aperture * np.sqrt((node + 1) / 2)
        retardance, _ = refraction_oracle(ordinary, b, np.array([0, 0, 1]), thickness, (radius, 0))
        expected += weight / 2 * 0.5 * sin(retardance / 2) ** 2  # mean of sin²2φ over the ring
    measured = level(crystal, medium=1.33, condenser_numerical_aperture=aperture, source_points=20)
    assert measured == pytest.approx(expected, rel=0.01)
    assert expected > 0.01


def test_two_crossed_crystals_act_in_the_order_of_the_light() -> None:
    first = plate(0.0091, 8.0, flat(20.0), z_um=-8.0, name="below")
    second = plate(0.02, 6.0, flat(75.0), z_um=6.0, name="above")
    expected = []
    matrices = [
        retarder(2 * pi / WAVELENGTH * b * d, a) for b, d, a in ((0.0091, 8, 20), (0.02, 6, 75))
    ]
    for order in (matrices, matrices[::-1]):
        state = linear(10.0)
        for matrix in order:
            state = matrix @ state
        expected.append(abs(linear(60.0) @ state) ** 2)
    assert abs(expected[0] - expected[1]) > 0.1
    settings = {"polarizer_deg": 10.0, "analyzer_deg": 60.0}
    assert level(first, second, **settings) == pytest.approx(expected[0], abs=1e-5)
    assert level(second, first, **settings) == pytest.approx(expected[0], abs=1e-5)
    swapped = ({**first, "particles": [{**first["particles"][0], "z_um": 8.0}]},
               {**second, "particles": [{**second["particles"][0], "z_um": -6.0}]})  # fmt: skip
    assert level(*swapped, **settings) == pytest.approx(expected[1], abs=1e-5)


def test_michel_levy_orders_are_dark_at_whole_wavelengths() -> None:
    """Between crossed polars the spectrum of a 1100 nm plate has gaps at 1100/m nm."""
    crystal = plate(0.011, 100.0, flat(45.0))
    wavelengths = np.array([0.367, 0.40, 0.44, 0.4889, 0.55, 0.6286, 0.7333])
    levels = [level(crystal, wavelength_um=float(w)) for w in wavelengths]
    assert levels == pytest.approx(list(np.sin(pi * 1.1 / wavelengths) ** 2), abs=2e-5)
    assert levels[4] < 1e-6 and levels[3] > 0.4


def test_interference_colours_follow_in_the_order_of_michel_levy() -> None:
    """Grey, yellow, first-order red, blue, yellow-green, second-order red: strongest to weakest."""
    camera = {"colour": "rgb", "background_electrons": 20000, "bit_depth": 16,
              "gain_electrons_per_count": 1.0, "full_well_electrons": 60000}  # fmt: skip
    colours = {400: "RGB", 530: "BRG", 650: "BGR", 830: "GRB", 1100: "BRG"}
    for retardance, order in colours.items():
        crystal = plate(0.1, retardance / 100, flat(45.0))
        scene = scene_of(crystal, spectrum={"kind": "halogen", "temperature_k": 5500})
        light = forward(scene.model_copy(update={"camera": Camera(**camera)})).mean((0, 1))
        strongest = sorted(range(3), key=lambda k: -float(light[k]))
        assert "".join("RGB"[k] for k in strongest) == order, (retardance, light)


# ---------------------------------------------------------------- bodies


def bodies(shape: dict[str, Any], **material: Any) -> dict[str, Any]:
    return {
        "name": "bodies",
        "shape": shape,
        "material": {"index": 1.38, **material},
        "particles": [
            {"x_um": 1.6, "y_um": 1.5, "z_um": 0.5, "orientation_deg": [31, 17, 9]},
            {"x_um": 2.5, "y_um": 2.4, "z_um": -0.7, "orientation_deg": [-40, 33, 59]},
        ],
    }


BOX = {"kind": "box", "size_um": [1.8, 1.2, 0.8]}


@pytest.mark.parametrize("condenser", [0.0, 0.3])
@pytest.mark.parametrize("circular", [False, True])
def test_isotropic_bodies_between_parallel_polars_are_brightfield(
    condenser: float, circular: bool
) -> None:
    settings = {"medium": 1.33, "condenser_numerical_aperture": condenser, "focus_um": 1.0}
    scene = scene_of(bodies(BOX, absorption_per_um=0.1), analyzer_deg=0.0, circular=circular,
                     **settings)  # fmt: skip
    bright = forward(replaced(scene, {"microscope.modality": {"kind": "brightfield"}}))
    assert float(bright.std()) > 0.02
    torch.testing.assert_close(forward(scene), bright, rtol=1e-9, atol=1e-10)
    crossed = replaced(scene, {"microscope.modality.analyzer_deg": 90.0})
    assert float(forward(crossed).abs().max()) < 1e-12


def test_mean_over_both_polarisations_is_what_the_scalar_engine_approximates() -> None:
    """No analyser, polarisers along x and y: half of each. Wrong by Γ²/8 at most."""
    b, thickest = 0.03, 1.8
    scene = scene_of(bodies(BOX, birefringence=b), medium=1.33, focus_um=1.0)
    bright = forward(replaced(scene, {"microscope.modality": {"kind": "brightfield"}}))
    plain = forward(replaced(scene, {"microscope.modality": {"kind": "brightfield"},
                                     "populations[0].material.birefringence": 0.0}))  # fmt: skip
    total = sum(
        forward(replaced(scene, {"microscope.modality.polarizer_deg": p,
                                 "microscope.modality.analyzer_deg": a}))
        for p in (0.0, 90.0)
        for a in (0.0, 90.0)
    ) / 2  # fmt: skip
    error = float((bright - total).abs().max())
    assert error < (2 * pi / WAVELENGTH * b * thickest) ** 2 / 8
    assert error < 0.3 * float((plain - total).abs().max())


def test_mean_phase_of_a_plate() -> None:
    """½(n_o + n_e(θ)) − n_m: quantitative phase of a slab behind which nothing else differs."""
    b, ordinary, thickness = 0.05, 1.345, 3.0
    axis = (sin(radians(50)), 0.0, cos(radians(50)))
    block = plate(b, thickness, axis, index=ordinary)
    block["shape"]["size_um"] = [6.0, 40.0, thickness]
    scene = scene_of(block, medium=1.33)
    scene = replaced(scene, {"microscope.modality": {"kind": "phase"}, "grid.shape": [8, 48],
                             "numerics.padding_um": 10.0, "grid.pixel_size_um": 0.25,
                             "microscope.numerical_aperture": 0.8})  # fmt: skip
    extraordinary = (cos(radians(50)) ** 2 / ordinary**2
                     + sin(radians(50)) ** 2 / (ordinary + b) ** 2) ** -0.5  # fmt: skip
    expected = 2 * pi / WAVELENGTH * ((ordinary + extraordinary) / 2 - 1.33) * thickness
    image = forward(scene)
    assert float(image[:, 4:13].mean() - image[:, 34:].mean()) == pytest.approx(expected, rel=0.03)


def test_radial_needles_make_a_maltese_cross() -> None:
    """Needles along the polars stay dark, those between light up."""
    needles = []
    for azimuth in range(0, 360, 45):
        x, y = 6.0 + 3.5 * cos(radians(azimuth)), 6.0 + 3.5 * sin(radians(azimuth))
        needles.append({"x_um": x, "y_um": y, "z_um": 0.0, "orientation_deg": [azimuth, 0, 0]})
    population = {
        "name": "needles",
        "shape": {"kind": "rod", "length_um": 4.0, "radius_um": 0.5},
        "material": {"index": 1.36, "birefringence": 0.05},
        "particles": needles,
    }
    scene = replaced(scene_of(population, medium=1.33),
                     {"grid.shape": [48, 48], "grid.pixel_size_um": 0.25})  # fmt: skip
    image = forward(scene)
    along = [float(image[round(n["y_um"] * 4), round(n["x_um"] * 4)]) for n in needles]
    assert max(along[::2]) < 0.02 * min(along[1::2])
    assert min(along[1::2]) > 0.02


# ---------------------------------------------------------------- derivatives and reuse

SHAPES: dict[str, dict[str, Any]] = {
    "sphere": {"kind": "sphere", "radius_um": 0.8},
    "coated_sphere": {"kind": "coated_sphere", "radius_um": 0.8, "core_radius_um": 0.45,
                      "core_index": 1.41},
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [1.1, 0.7, 0.5]},
    "rod": {"kind": "rod", "length_um": 2.6, "radius_um": 0.5},
    "cylinder": {"kind": "cylinder", "length_um": 2.2, "radius_um": 0.6},
    "box": BOX,
    "polyhedron": {"kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [2.4, 1.4, 1.3]},
}  # fmt: skip
SIZE = {"sphere": "radius_um", "coated_sphere": "core_radius_um", "ellipsoid": "semi_axes_um[2]",
        "rod": "radius_um", "cylinder": "length_um", "box": "size_um[2]",
        "polyhedron": "size_um[0]"}  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "light"),
    [(shape, "linear") for shape in SHAPES]
    + [(shape, "circular with condenser") for shape in ("coated_sphere", "rod", "box")],
)
def test_gradients_against_finite_differences(shape: str, light: str) -> None:
    material = {"birefringence": 0.06, "optic_axis": [0.5, 0.3, 0.7], "absorption_per_um": 0.05}
    condenser = {"condenser_numerical_aperture": 0.3, "source_points": 2}
    scene = scene_of(
        bodies(SHAPES[shape], **material), medium=1.33, polarizer_deg=12.0, analyzer_deg=80.0,
        compensator_nm=140.0, compensator_azimuth_deg=30.0, extinction=0.01,
        circular="circular" in light, **(condenser if "condenser" in light else {}),
    )  # fmt: skip
    base, modality = "populations[0].material", "microscope.modality"
    start = {
        f"{modality}.polarizer_deg": 12.0,
        f"{modality}.analyzer_deg": 80.0,
        f"{modality}.compensator_nm": 140.0,
        f"{modality}.compensator_azimuth_deg": 30.0,
        f"{modality}.extinction": 0.01,
        f"{base}.birefringence": 0.06,
        f"{base}.absorption_per_um": 0.05,
        f"{base}.index": 1.38,
        "medium.index": 1.33,
        "microscope.wavelength_um": WAVELENGTH,
        **{f"{base}.optic_axis[{k}]": v for k, v in enumerate((0.5, 0.3, 0.7))},
        **{f"particles[0].orientation_deg[{k}]": v for k, v in enumerate((31.0, 17.0, 9.0))},
        "particles[1].z_um": -0.7,
    }
    size = SHAPES[shape][SIZE[shape].split("[")[0]]
    start[f"populations[0].shape.{SIZE[shape]}"] = (
        size[int(SIZE[shape][-2])] if isinstance(size, list) else size
    )
    if "condenser" in light:
        start["microscope.condenser_numerical_aperture"] = 0.3
    model = ForwardModel(scene)
    leaves = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in start.items()}
    image = model.image(leaves)
    weight = torch.randn(image.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    slopes = torch.autograd.grad((image * weight).sum(), list(leaves.values()))
    wrong = []
    for (name, value), slope in zip(start.items(), slopes, strict=True):
        h = 1e-3 if "_deg" in name or name.endswith("_nm") else 2e-5
        with torch.no_grad():
            above, below = (model.image({**start, name: value + d}) for d in (h, -h))
        column = (above - below) / (2 * h)
        difference = float((column * weight).sum())
        if abs(difference - float(slope)) > 1e-3 * abs(difference) + 1e-4 * float(column.norm()):
            wrong.append(f"{name}: {float(slope):.6g}, {difference:.6g} by differences")
        symmetric = shape == "sphere" and "orientation_deg[2]" in name
        assert symmetric or float(column.norm()) > 1e-7, f"{name} does not act"
    assert not wrong, "\n".join(wrong)


def test_gradients_stay_finite_without_birefringence_and_along_the_light() -> None:
    scene = scene_of(bodies(BOX, optic_axis=[0, 0, 1], birefringence=0.0), medium=1.33)
    names = [f"populations[0].material.optic_axis[{k}]" for k in range(3)]
    names += ["populations[0].material.birefringence", "microscope.modality.polarizer_deg"]
    for b in (0.0, 0.05):
        leaves = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True)
                  for n, v in zip(names, (0.0, 0.0, 1.0, b, 3.0), strict=True)}  # fmt: skip
        slopes = torch.autograd.grad(forward(scene, leaves).sum(), list(leaves.values()))
        assert all(bool(torch.isfinite(s)) for s in slopes)


def test_a_kept_wave_is_not_used_for_another_polariser() -> None:
    scene = scene_of(bodies(BOX, birefringence=0.06), medium=1.33)
    renderer = Renderer("cpu")
    model = ForwardModel(scene)
    for changes in ({}, {"polarizer_deg": 30.0}, {"polarizer_deg": 30.0, "circular": True}):
        changes = {f"microscope.modality.{n}": v for n, v in changes.items()}
        changed = replaced(scene, changes)
        fresh = Renderer("cpu").render(changed).image
        assert torch.equal(renderer.render(changed).image, fresh)
    turned_polariser = {"microscope.modality.polarizer_deg": 30.0}
    model.image({})
    torch.testing.assert_close(
        model.image(turned_polariser), forward(replaced(scene, turned_polariser))
    )


# ---------------------------------------------------------------- vectorial pupil

SHARP = {"microscope.pupil.vectorial": True, "microscope.numerical_aperture": 0.9,
         "grid.pixel_size_um": 0.15, "grid.shape": [24, 24]}  # fmt: skip


@pytest.mark.parametrize("condenser", [0.0, 0.4])
def test_both_polarisations_make_the_unpolarised_vectorial_image(condenser: float) -> None:
    """Polarisers along x and y, analysers along x and y: half of each."""
    light = {"condenser_numerical_aperture": condenser, "source_points": 4 if condenser else 0}
    scene = replaced(scene_of(bodies(BOX), medium=1.33, **light), SHARP)
    bright = forward(replaced(scene, {"microscope.modality": {"kind": "brightfield"}}))
    total = sum(
        forward(replaced(scene, {"microscope.modality.polarizer_deg": p,
                                 "microscope.modality.analyzer_deg": a}))
        for p in (0.0, 90.0)
        for a in (0.0, 90.0)
    ) / 2  # fmt: skip
    torch.testing.assert_close(total, bright, rtol=1e-9, atol=1e-9)
    scalar = forward(replaced(scene, {"microscope.modality": {"kind": "brightfield"},
                                      "microscope.pupil.vectorial": False}))  # fmt: skip
    assert float((bright - scalar).abs().max()) > 1e-4


def test_an_isotropic_ball_shines_in_four_lobes_between_crossed_polars() -> None:
    """Dark along the polars, E_y ∝ −tan²(θ/2) sin 2φ in the pupil."""
    ball = {"name": "ball", "shape": {"kind": "sphere", "radius_um": 0.3},
            "material": {"index": 1.45},
            "particles": [{"x_um": 1.8, "y_um": 1.8, "z_um": 0.0}]}  # fmt: skip
    scene = replaced(scene_of(ball, medium=1.33), SHARP)
    image = forward(scene)
    y, x = np.divmod(int(image.argmax()), 24)
    assert abs(x - 12) == abs(y - 12) > 0
    assert float(image[12].max()) < 1e-6 * float(image.max())
    assert float(image[:, 12].max()) < 1e-6 * float(image.max())
    assert float(image.max()) > 1e-5
    # The cross turns with the polars: along two columns for one row it is dark again.
    polars = {"microscope.modality.polarizer_deg": 26.565,
              "microscope.modality.analyzer_deg": 116.565}  # fmt: skip
    turned_image = forward(replaced(scene, polars))
    steps = torch.arange(-4, 5)
    assert float(turned_image[12 + steps, 12 + 2 * steps].max()) < 1e-4 * float(image.max())
    assert float(turned_image[12 - 2 * steps, 12 + steps].max()) < 1e-4 * float(image.max())
    assert float(turned_image.max()) > 0.5 * float(image.max())


# ---------------------------------------------------------------- words


def test_polars_without_crystals_are_said_to_show_nothing() -> None:
    scene = scene_of(bodies(BOX), medium=1.33)
    frame = Renderer("cpu").render(scene)
    (caution,) = (c for c in frame.warnings if "crossed polars" in c.text)
    assert float(frame.image.max()) < 1e-9
    remedied = Renderer("cpu").render(replaced(scene, caution.remedy))
    assert float(remedied.image.max()) > 1e-4
    assert not any("crossed polars" in c.text for c in remedied.warnings)


def test_strong_crystals_without_polars_are_said_to_be_approximate() -> None:
    bright = {"microscope.modality": {"kind": "brightfield"}}
    for b, said in ((0.01, False), (0.12, True)):
        scene = replaced(scene_of(bodies(BOX, birefringence=b), medium=1.33), bright)
        frame = Renderer("cpu").render(scene)
        assert any("strong crystal" in c.text for c in frame.warnings) == said


def test_path_difference_label_takes_the_mean_index() -> None:
    scene = scene_of(plate(0.05, 3.0, (1, 0, 0), index=1.36), medium=1.33)
    frame = Renderer("cpu").render(scene, outputs=("opd",))
    assert frame.opd is not None
    assert float(frame.opd.mean()) == pytest.approx(3.0 * (0.03 + 0.025), rel=1e-4)
