"""Optics have the tolerance that their fields state, and nuisances join where a lens matters."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.problem.priors import NUISANCES, all_priors, default_prior
from osog.fitting.problem.setup import fit_setup
from osog.scene.parameters import replaced


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("microscope.numerical_aperture", (0.6, 0.012)),
        ("microscope.wavelength_um", (0.532, 0.00266)),
        ("microscope.aberrations.trefoil_x", (0.0, 0.02)),
        ("microscope.aberrations.zernike[12]", (0.05, 0.02)),
        ("medium.index", (1.333, 0.002)),
        ("particles[0].index", None),
        ("microscope.focus_um", None),
    ],
)
def test_tolerance_of_a_number(sphere_scene, name, pair):
    scene = replaced(sphere_scene(), {"microscope.aberrations.zernike": {12: 0.05}})
    assert default_prior(scene, name) == (None if pair is None else pytest.approx(pair))


@pytest.mark.parametrize(
    ("kind", "name", "joined"),
    [
        ("brightfield", "microscope.focus_um", True),
        ("brightfield", "medium.index", True),
        ("dic", "particles[0].radius_um", True),
        ("hologram", "particles[0].z_um", True),
        ("brightfield", "particles[0].x_um", False),
        ("fluorescence", "microscope.focus_um", False),
    ],
)
def test_nuisances_join_where_the_lens_pulls_a_free_number_along(sphere_scene, kind, name, joined):
    scene = sphere_scene(microscope={"modality": {"kind": kind}})
    uncertain = all_priors(scene, (name,), None, "uncertain")
    assert (set(NUISANCES) <= set(uncertain)) == joined
    assert not set(NUISANCES) & set(all_priors(scene, (name,), None, "exact"))


def test_a_condenser_that_is_shut_has_no_tolerance(sphere_scene):
    free = ("microscope.condenser_numerical_aperture",)
    assert all_priors(sphere_scene(), free, None, "exact") == {}


def test_nuisances_stay_within_four_deviations(sphere_scene):
    scene = sphere_scene()
    names = ("particles[0].radius_um", "microscope.aberrations.spherical")
    setup = fit_setup(
        np.full((40, 40), 800.0), scene, names, None, None, seed=0, priors=None,
        optics="uncertain", linear="auto", region=None, max_iterations=5, device="cpu",
    )  # fmt: skip
    ranges = dict(
        zip(
            setup.parameters.names,
            zip(setup.parameters.low, setup.parameters.high, strict=True),
            strict=True,
        )
    )
    assert ranges["microscope.numerical_aperture"] == pytest.approx((0.552, 0.648))
    assert ranges["microscope.aberrations.astigmatism_0"] == pytest.approx((-0.08, 0.08))
    # What the caller frees is his to bound.
    assert ranges["microscope.aberrations.spherical"] == pytest.approx((-1.0, 1.0))
