"""Fits of real micrographs agree with independent answers from starts that are 20 % off.

Sources: QLSI of a polyacrylamide bead (qpretrieve), digital hologram of a leukaemia cell
(qpsphere), inline hologram of silica spheres (pylorenzmie), cell of scikit-image. The tolerances
are the spread between physically acceptable models, not statistics. NA is not stated for any of
them; the values here are plausible and matter less than the tolerances.
"""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from osog.detection import detect
from osog.fitting import fit
from osog.io import read_micrograph
from osog.scene import Scene

pytestmark = pytest.mark.micrographs

SPHERE = (
    "populations.sphere.shape.radius_um",
    "populations.sphere.material.index",
    "particles[0].x_um",
    "particles[0].y_um",
)


def _scene(image, pixel, medium, radius, index, x_px, y_px, **microscope):
    return Scene.parse(
        {
            "grid": {"shape": list(image.shape), "pixel_size_um": pixel},
            "medium": {"index": medium},
            "populations": [
                {
                    "name": "sphere",
                    "shape": {"kind": "sphere", "radius_um": radius},
                    "material": {"index": index},
                    "particles": [{"x_um": x_px * pixel, "y_um": y_px * pixel, "z_um": 0.0}],
                }
            ],
            "microscope": microscope,
        }
    )


def _binned(image, factor):
    rows, columns = (n // factor for n in image.shape)
    cut = image[: rows * factor, : columns * factor]
    return cut.reshape(rows, factor, columns, factor).mean(axis=(1, 3))


def _centre_px(result, pixel, factor=1):
    shift = (factor - 1) / 2
    x, y = result.values[SPHERE[2]], result.values[SPHERE[3]]
    return x / pixel * factor + shift, y / pixel * factor + shift


def test_bead_in_quantitative_phase(micrographs):
    phase = _binned(read_micrograph(micrographs / "qpi/qlsi_paa_bead_phase.tif").image, 4)
    pixel = 4 * 0.06575
    scene = _scene(
        phase, pixel, 1.335, 13.48 * 0.8, 1.335 + 0.0031 * 0.8, 85.0, 85.0,
        modality={"kind": "phase"}, wavelength_um=0.55, numerical_aperture=0.4,
    )  # fmt: skip
    result = fit(phase, scene, SPHERE)
    assert result.converged
    assert result.values[SPHERE[1]] == pytest.approx(1.3381, abs=0.0003)
    assert result.values[SPHERE[0]] == pytest.approx(13.48, abs=0.10)
    assert _centre_px(result, pixel, 4) == pytest.approx((354.2, 327.3), abs=1.5)
    assert result.rms <= 0.02
    assert any("Noise estimated" in w for w in result.warnings)


def test_cell_in_quantitative_phase(micrographs):
    phase = tifffile.imread(micrographs / "qpi/hologram_cell_phase.tif")
    scene = _scene(
        phase, 0.107, 1.335, 6.78 * 0.8, 1.335 + 0.0335 * 0.8, 95.0, 108.0,
        modality={"kind": "phase"}, wavelength_um=0.633, numerical_aperture=0.5,
    )  # fmt: skip
    result = fit(phase, scene, SPHERE)
    assert result.converged
    assert result.values[SPHERE[1]] == pytest.approx(1.3685, abs=0.0015)
    assert result.values[SPHERE[0]] == pytest.approx(6.78, abs=0.15)
    assert _centre_px(result, 0.107) == pytest.approx((105.0, 100.3), abs=1.0)
    # A cell is no homogeneous sphere, and the report says so.
    assert not result.success
    assert any("does not explain the image" in w for w in result.warnings)


@pytest.mark.parametrize("optics", ["exact", "uncertain"])
def test_silica_sphere_in_an_inline_hologram(micrographs, optics):
    hologram = iio.imread(micrographs / "pylorenzmie/PS_silica.png") / 100.0
    scene = _scene(
        hologram, 0.048, 1.340, 0.505 * 1.2, 1.34 + 0.084 * 0.8, 905.0, 488.0,
        modality={"kind": "hologram"}, wavelength_um=0.447, numerical_aperture=1.2,
        immersion_index=1.34, focus_um=8.6 * 0.8,
    )  # fmt: skip
    free = ("microscope.focus_um", *SPHERE)
    result = fit(hologram, scene, free, region=(425, 545, 848, 968), optics=optics)
    assert result.converged
    assert not result.linear  # already divided by its background: the gain is 1
    assert result.values[SPHERE[1]] == pytest.approx(1.424, abs=0.010)
    assert result.values[SPHERE[0]] == pytest.approx(0.505, abs=0.02)
    # Uncertain optics leave σ = 0.18 µm along a valley of focus, radius and aberration.
    room = 0.36 if optics == "uncertain" else 0.3
    assert result.values["microscope.focus_um"] == pytest.approx(8.6, abs=room)
    assert _centre_px(result, 0.048) == pytest.approx((907.7, 484.9), abs=0.3)
    assert result.r_squared >= 0.88


def test_geometry_of_a_cell_with_unknown_grey_scale():
    """Needs no folder: the image comes with scikit-image."""
    import skimage.data

    grey = _binned(skimage.data.cell(), 4)
    pixel = 4 * 0.107
    scene = _scene(
        grey, pixel, 1.335, 6.98 * 0.8, 1.36, 103.0, 97.0,
        modality={"kind": "phase"}, wavelength_um=0.633, numerical_aperture=0.5,
    )  # fmt: skip
    result = fit(grey, scene, SPHERE, linear="gain+offset+slopes+quadratic")
    assert result.values[SPHERE[0]] == pytest.approx(6.98, abs=0.15)
    assert _centre_px(result, pixel, 4) == pytest.approx((428.7, 374.6), abs=2.0)
    assert "not determined" in result.undetermined[SPHERE[1]]
    assert np.isinf(result.sigma[SPHERE[1]])
    assert result.linear["gain"] > 0


def test_beads_are_detected(micrographs):
    image = read_micrograph(micrographs / "trackpy/bf_0000.png").image
    pixel = 0.15192872980868
    scene = _scene(
        image, pixel, 1.333, 1.06, 1.45, 0, 0,
        wavelength_um=0.55, numerical_aperture=0.8, condenser_numerical_aperture=0.2,
    )  # fmt: skip
    found = [(p.x_um / pixel, p.y_um / pixel) for p in detect(image, scene, depth_range_um=6.0)]
    wanted = [
        (253.83, 24.06), (398.43, 113.21), (295.13, 127.68), (77.91, 289.59), (279.26, 363.11),
    ]  # fmt: skip
    assert len(found) == 5
    for x, y in wanted:
        assert min(np.hypot(x - a, y - b) for a, b in found) < 1.0


def test_numerical_aperture_is_read_where_the_file_states_it(micrographs):
    known = read_micrograph(micrographs / "qpi/qlsi_paa_bead_phase.tif").known()
    assert "numerical_aperture" not in known
    colour = micrographs / "crystals/h_gm_4d0002.png"
    assert read_micrograph(colour, channel="mean").image.shape == (534, 534)
