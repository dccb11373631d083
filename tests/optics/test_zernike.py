from __future__ import annotations

from math import cos, pi, sin

import pytest
import torch

from osog.optics.zernike import NAMED, noll, noll_of_osa, osa, zernike


def polar(index: int, rho: float, theta: float) -> float:
    x = torch.tensor(rho * cos(theta), dtype=torch.float64)
    return float(zernike(index, x, torch.tensor(rho * sin(theta), dtype=torch.float64)))


def test_noll_order() -> None:
    expected = [(0, 0), (1, 1), (1, -1), (2, 0), (2, -2), (2, 2), (3, -1), (3, 1), (3, -3), (3, 3),
                (4, 0), (4, 2), (4, -2), (4, 4), (4, -4)]  # fmt: skip
    assert [noll(j) for j in range(1, 16)] == expected
    with pytest.raises(ValueError, match=r"Noll index = 0 must be at least 1\."):
        noll(0)


def test_osa_order() -> None:
    """Table of ANSI Z80.28 up to the fourth order, and the Noll indices of the same terms."""
    expected = [(0, 0), (1, -1), (1, 1), (2, -2), (2, 0), (2, 2), (3, -3), (3, -1), (3, 1), (3, 3),
                (4, -4), (4, -2), (4, 0), (4, 2), (4, 4)]  # fmt: skip
    assert [osa(j) for j in range(15)] == expected
    assert [noll_of_osa(j) for j in range(15)] == [
        1,
        3,
        2,
        5,
        4,
        6,
        9,
        7,
        8,
        10,
        15,
        13,
        11,
        12,
        14,
    ]
    for j in range(120):
        n, m = osa(j)
        assert j == (n * (n + 2) + m) // 2 and noll(noll_of_osa(j)) == (n, m)
    with pytest.raises(ValueError, match=r"OSA index = -1 must be at least 0\."):
        osa(-1)


def test_values() -> None:
    assert polar(11, 0.5, 0.0) == pytest.approx(-0.279508, abs=1e-6)
    assert polar(8, 0.5, 0.0) == pytest.approx(-1.767767, abs=1e-6)
    assert polar(6, 0.7, 0.3) == pytest.approx(0.990609, abs=1e-6)
    assert polar(7, 0.5, pi / 2) == pytest.approx(-1.767767, abs=1e-6)
    assert polar(5, 1.0, pi / 4) == pytest.approx(6**0.5, abs=1e-9)


def test_named_terms_have_the_symmetry_of_their_names() -> None:
    one = 0.8
    assert polar(NAMED["astigmatism_0"], one, 0.0) == -polar(NAMED["astigmatism_0"], one, pi / 2)
    assert polar(NAMED["astigmatism_45"], one, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert polar(NAMED["coma_x"], one, 0.0) == pytest.approx(-polar(NAMED["coma_x"], one, pi))
    assert polar(NAMED["coma_x"], one, pi / 2) == pytest.approx(0.0, abs=1e-12)
    assert polar(NAMED["coma_y"], one, 0.0) == pytest.approx(0.0, abs=1e-12)
    third = 2 * pi / 3
    for name, first in (("trefoil_x", 0.0), ("trefoil_y", pi / 6)):
        peak = polar(NAMED[name], one, first)
        assert peak == pytest.approx(8**0.5 * one**3)
        assert polar(NAMED[name], one, first + third) == pytest.approx(peak)
    assert polar(NAMED["defocus"], one, 1.0) == pytest.approx(3**0.5 * (2 * one**2 - 1))
    assert polar(NAMED["spherical"], one, 0.2) == pytest.approx(polar(11, one, 1.9))


def test_orthonormal_over_the_disc() -> None:
    """Exact quadrature: Gauss nodes in ρ², equally spaced angles."""
    import numpy as np

    node, weight = np.polynomial.legendre.leggauss(12)
    rho = torch.as_tensor(np.sqrt((node + 1) / 2))[:, None]
    theta = torch.arange(32, dtype=torch.float64) * (2 * pi / 32)
    x, y = rho * torch.cos(theta), rho * torch.sin(theta)
    share = torch.as_tensor(weight / 2)[:, None] / 32
    terms = torch.stack([zernike(j, x, y) for j in range(1, 29)])
    gram = torch.einsum("ars,brs,rs->ab", terms, terms, share.expand(-1, 32))
    torch.testing.assert_close(gram, torch.eye(28, dtype=torch.float64), rtol=0, atol=1e-12)


def test_derivative_at_the_centre_is_finite() -> None:
    x = torch.zeros((), dtype=torch.float64, requires_grad=True)
    y = torch.zeros((), dtype=torch.float64, requires_grad=True)
    for index in (2, 6, 8, 11, 14):
        for slope in torch.autograd.grad(zernike(index, x, y), (x, y), allow_unused=True):
            assert slope is None or bool(torch.isfinite(slope))
