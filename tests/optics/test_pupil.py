from __future__ import annotations

from types import ModuleType

import pytest
import torch

from osog.optics.pupil import Pupil
from osog.sample import Values
from osog.waves import soft_edge


def test_edge_is_a_raised_cosine_two_bins_wide() -> None:
    inside = torch.tensor([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], dtype=torch.float64) * 0.02
    expected = torch.tensor([0, 0, 0.1464466, 0.5, 0.8535534, 1, 1], dtype=torch.float64)
    torch.testing.assert_close(soft_edge(inside, 0.02), expected, rtol=0, atol=1e-6)


def pupil_of(bench: ModuleType, values: dict[str, float] | None = None, **numbers: object) -> Pupil:
    table = bench.Bench()
    scene = Values(table.scene("brightfield", **numbers), values, dtype=torch.float64)
    return Pupil.of(scene, bench.double(0.55), bench.double(1.33), (0.02, 0.03))


def test_pupil_reads_named_and_numbered_terms(bench: ModuleType) -> None:
    pupil = pupil_of(bench, aberrations={"spherical": 0.1, "zernike": {4: 0.2, 11: 0.05}})
    terms = {j: float(c) / (2 * torch.pi) for j, c in pupil.terms}
    assert terms == pytest.approx({4: 0.2, 11: 0.15})
    assert pupil.step == 0.03  # the coarser axis
    given = pupil_of(bench, {"microscope.aberrations.zernike[9]": 0.3,
                             "microscope.aberrations.coma_x": 0.0})  # fmt: skip
    assert sorted(j for j, _ in given.terms) == [8, 9]


def test_terms_given_under_several_names_add_up(bench: ModuleType) -> None:
    """Coma along x is Noll 8 and OSA 8; coma along y is Noll 7 and OSA 7."""
    pupil = pupil_of(
        bench, {"microscope.aberrations.osa[9]": 0.04},
        aberrations={"coma_x": 0.1, "zernike": {8: 0.02, 3: 0.01}, "osa": {8: 0.03, 7: 0.2}},
    )  # fmt: skip
    terms = {j: float(c) / (2 * torch.pi) for j, c in pupil.terms}
    assert terms == pytest.approx({8: 0.15, 3: 0.01, 7: 0.2, 10: 0.04})


def test_phase_is_advanced_by_the_coefficient(bench: ModuleType) -> None:
    """0.25 waves rms of Noll 4 at the rim: √3 · 2π · 0.25 rad."""
    pupil = pupil_of(bench, aberrations={"zernike": {4: 0.05}})
    rim = bench.double(0.9 * 0.8 / 0.55)
    angle = float(torch.angle(pupil(rim, bench.double(0.0))))
    assert angle == pytest.approx(3**0.5 * (2 * 0.81 - 1) * 2 * torch.pi * 0.05, abs=1e-9)


def test_cutoff_ends_where_waves_cannot_travel(bench: ModuleType) -> None:
    assert pupil_of(bench).cutoff == pytest.approx(0.8 / 0.55 + 0.03)
    assert pupil_of(bench, numerical_aperture=1.4).cutoff == pytest.approx(1.33 / 0.55)
