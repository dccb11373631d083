"""Lorenz-Mie coefficients and amplitudes against published values and miepython."""

from __future__ import annotations

from math import pi

import miepython
import numpy as np
import pytest
import torch

from osog.exit_wave.lorenz_mie.amplitudes import amplitude_table, amplitudes
from osog.exit_wave.lorenz_mie.coefficients import coefficients, complex_index
from osog.exit_wave.lorenz_mie.recursions import kept_angular

DOUBLE = torch.float64
# Size parameter, relative index: small, at zeros of Riccati-Bessel functions, large, absorbing,
# a bubble.
SPHERES = [
    (0.05, 1.2),
    (1.0, 1.5),
    (pi, 1.1),
    (2 * pi, 1.5),
    (4.493409457909064, 1.3),
    (20.0, 1.2),
    (60.0, 1.5),
    (100.0, 1.2),
    (10.0, 1.33 + 0.1j),
    (30.0, 0.75),
]


def tensors(x: float, m: complex) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([x], dtype=DOUBLE), torch.tensor([m], dtype=torch.complex128)


def efficiencies(x: float, m: complex, core=None) -> tuple[float, float, float]:
    """Q_ext, Q_sca and Q_back (Bohren & Huffman 1983, eqs. 4.61, 4.62 and section 4.6)."""
    size, index = tensors(x, m)
    if core is not None:
        core = tensors(*core)
    a, b = coefficients(size, index, core)
    n = torch.arange(1, a.shape[1] + 1)
    extinction = 2 / x**2 * float(((2 * n + 1) * (a + b).real).sum())
    scattering = 2 / x**2 * float(((2 * n + 1) * (a.abs() ** 2 + b.abs() ** 2)).sum())
    back, _ = amplitudes(size, index, torch.tensor([-1.0], dtype=DOUBLE), core)
    return extinction, scattering, 4 / x**2 * float(back.abs()[0, 0] ** 2)


def test_efficiencies_are_the_published_ones() -> None:
    """The sample run of Bohren & Huffman (1983), appendix A; and cases of Wiscombe (1979)."""
    extinction, scattering, back = efficiencies(2 * pi * 0.525 / 0.6328, 1.55)
    assert extinction == pytest.approx(3.10543, abs=1e-5)
    assert scattering == pytest.approx(3.10543, abs=1e-5)
    assert back == pytest.approx(2.92534, abs=1e-5)
    for x, m, known in (
        (1.0, 1.33 + 1e-5j, 0.0939233),
        (100.0, 1.33 + 1e-5j, 2.096594),
        (1.0, 1.5 + 1j, 0.6634538),
        (100.0, 1.5 + 1j, 1.283697),
    ):
        assert efficiencies(x, m)[1] == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize(("x", "m"), SPHERES)
def test_amplitudes_agree_with_miepython(x, m) -> None:
    """Every angle from straight ahead to straight back, and in company of other sizes."""
    cosine = np.linspace(-1, 1, 81)
    size = torch.tensor([x, 0.3, 2 * x], dtype=DOUBLE)
    s1, s2 = amplitudes(size, torch.full((3,), m, dtype=torch.complex128), torch.tensor(cosine))
    theirs = miepython.S1_S2(np.conj(m), x, cosine, norm="bohren")
    # miepython's time factor is exp(+iωt), and this normalisation doubles the amplitude.
    for ours, other in zip((s1, s2), theirs, strict=True):
        exact = np.conj(other) / 2
        assert np.abs(ours[0].numpy() - exact).max() < 1e-9 * np.abs(exact).max()


@pytest.mark.parametrize(("x", "m"), SPHERES)
@pytest.mark.parametrize("share", [0.0, 1e-6, 0.4, 1.0])
def test_a_core_like_its_shell_changes_nothing(x, m, share) -> None:
    size, index = tensors(x, m)
    cosine = torch.linspace(-1, 1, 21, dtype=DOUBLE)
    plain, _ = amplitudes(size, index, cosine)
    coated, _ = amplitudes(size, index, cosine, (share * size, index))
    assert torch.allclose(coated, plain, rtol=0, atol=1e-12 * float(plain.abs().max()))


def test_a_shell_like_the_medium_leaves_the_core() -> None:
    size, index = tensors(3.0, 1.2)
    cosine = torch.linspace(-1, 1, 21, dtype=DOUBLE)
    alone = amplitudes(size, index, cosine)[1]
    wrapped = amplitudes(2.5 * size, torch.ones_like(index), cosine, (size, index))[1]
    assert torch.allclose(wrapped, alone, rtol=0, atol=1e-12 * float(alone.abs().max()))


def test_coated_sphere_agrees_with_the_boundary_conditions() -> None:
    """Q of x 4/6, m 1.05/1.12: the 4 × 4 boundary problem solved directly, 9 digits."""
    extinction, scattering, _ = efficiencies(6.0, 1.12, (4.0, 1.05))
    assert extinction == pytest.approx(0.635087164, abs=1e-9)
    assert scattering == pytest.approx(0.635087164, abs=1e-9)


def boundary_coefficient(n: int, x: float, shell: complex, xc: float, core: complex, kind: str):
    """a_n or b_n of a coated sphere from the four boundary conditions (B&H section 8.1)."""
    from scipy.special import spherical_jn, spherical_yn

    def psi(z):
        return z * spherical_jn(n, z), spherical_jn(n, z) + z * spherical_jn(n, z, True)

    def chi(z):
        return -z * spherical_yn(n, z), -spherical_yn(n, z) - z * spherical_yn(n, z, True)

    def xi(z):
        return tuple(p - 1j * c for p, c in zip(psi(z), chi(z), strict=True))

    p1, q1 = psi(core * xc)
    p2, q2 = psi(shell * xc)
    c2, d2 = chi(shell * xc)
    p3, q3 = psi(shell * x)
    c3, d3 = chi(shell * x)
    p, q = psi(x)
    e, f = xi(x)
    # Unknowns: scattered, two in the shell, one in the core. Electric waves: ψ'/m continuous with
    # ψ, magnetic ones the other way round.
    r, t = (1 / shell, 1 / core) if kind == "a" else (1.0, 1.0)
    u, v = (1.0, 1.0) if kind == "a" else (1 / shell, 1 / core)
    r, t, u, v = (complex(w) for w in (r, t, u, v))
    system = np.array(
        [
            [f, r * q3, r * d3, 0],
            [e, u * p3, u * c3, 0],
            [0, r * q2, r * d2, -t * q1],
            [0, u * p2, u * c2, -v * p1],
        ]
    )
    return np.linalg.solve(system, np.array([q, p, 0, 0]))[0]


@pytest.mark.parametrize(
    ("x", "shell", "xc", "core"),
    [
        (6.0, 1.12, 4.0, 1.05),
        (12.0, 1.05, 11.0, 0.75),
        (5.0, 1.2 + 0.05j, 3.0, 1.5 + 0.2j),
        (2 * pi / 1.1, 1.1, pi / 1.1, 1.3),  # zeros of ψ0 at both surfaces
        (15.0, 0.8, 0.4, 1.4),
        (4.0, 1.45 / 1.33, 3.0, (0.05 + 3.1j) / 1.33),  # silver in silica
    ],
)
def test_coated_coefficients_solve_the_boundary_problem(x, shell, xc, core) -> None:
    a, b = coefficients(*tensors(x, shell), tensors(xc, core))
    for n in range(1, 9):
        for ours, kind in ((a, "a"), (b, "b")):
            exact = boundary_coefficient(n, x, shell, xc, core, kind)
            assert complex(ours[0, n - 1]) == pytest.approx(exact, abs=1e-10)


def test_gradients_are_those_of_the_series() -> None:
    """Size, both indices, absorption and the core, by finite differences in double precision."""
    cosine = torch.tensor([-1.0, 0.2, 0.9, 1.0], dtype=DOUBLE)

    def both(size, real, imaginary, core_size, core_real):
        index = torch.complex(real, imaginary)
        core = (core_size, torch.complex(core_real, imaginary))
        return torch.view_as_real(torch.stack(amplitudes(size, index, cosine, core)))

    start = [
        torch.tensor(v, dtype=DOUBLE, requires_grad=True)
        for v in ([7.3, 2.1], [1.2, 0.8], [0.01, 0.2], [4.1, 1.9], [1.05, 1.5])
    ]
    assert torch.autograd.gradcheck(both, start, atol=1e-7)
    plain = [start[0], start[1]]
    assert torch.autograd.gradcheck(
        lambda x, m: torch.view_as_real(torch.stack(amplitudes(x, m, cosine))), plain, atol=1e-7
    )


def test_table_interpolates_amplitude_and_slope() -> None:
    size = torch.tensor([18.0, 3.0], dtype=DOUBLE, requires_grad=True)
    index = torch.tensor([1.2, 1.4], dtype=torch.complex128)
    angle = torch.linspace(0, 1.3, 400, dtype=DOUBLE)
    u = (2 * torch.sin(angle / 2) ** 2).requires_grad_()
    table = amplitude_table(size, index, float(u.detach().max()))
    place = table.locate(u)
    s1, s2 = amplitudes(size, index, 1 - u)
    for i in range(2):
        for ours, exact in ((table.s1, s1[i]), (table.s2, s2[i])):
            error = (place.of(ours[:, i]) - exact).detach().abs().max()
            assert float(error) < 2e-6 * float(exact.detach().abs().max())
    got = torch.autograd.grad(place.of(table.scalar[:, 0]).real.sum(), (u, size), retain_graph=True)
    wanted = torch.autograd.grad((s1 + s2)[0].real.sum() / 2, (u, size))
    for ours, exact in zip(got, wanted, strict=True):
        assert torch.allclose(ours, exact, rtol=0, atol=1e-4 * float(exact.abs().max()))


def test_absorption_is_the_imaginary_part_of_the_index() -> None:
    """A plate of 1 µm with μ = 0.5/µm at 0.6 µm loses exp(−0.5) of the intensity."""
    index = complex_index(
        torch.tensor(1.4, dtype=DOUBLE),
        torch.tensor(0.5, dtype=DOUBLE),
        torch.tensor(0.6, dtype=DOUBLE),
    )
    intensity = np.abs(np.exp(2j * pi / 0.6 * complex(index) * 1.0)) ** 2
    assert intensity == pytest.approx(np.exp(-0.5), rel=1e-12)


@pytest.mark.parametrize("core", [None, (0.7, 1.45), (8.0, 1.1 + 0.2j)])
@pytest.mark.parametrize(("x", "m"), SPHERES)
def test_coefficients_are_the_same_with_and_without_derivatives(x, m, core) -> None:
    """They come from tensors and from arrays of NumPy."""
    if core is not None and core[0] > x:
        pytest.skip("a core lies within its sphere")
    size, index = tensors(x, m)
    inside = None if core is None else tensors(*core)
    plain = coefficients(size, index, inside)
    followed = coefficients(size.requires_grad_(), index, inside)
    for one, other in zip(plain, followed, strict=True):
        assert other.requires_grad and not one.requires_grad
        torch.testing.assert_close(one, other.detach(), rtol=1e-11, atol=1e-13)


def test_only_small_angular_functions_are_kept() -> None:
    """Those of a large sphere, of all angles, are hundreds of megabytes."""
    kept_angular.cache_clear()
    for x, entries in ((10.0, 1), (10.0, 1), (150.0, 1), (12.0, 2)):
        amplitude_table(*tensors(x, 1.3), 2.0)
        assert kept_angular.cache_info().currsize == entries
    assert kept_angular.cache_info().hits == 1


def test_a_black_shell_hides_its_core() -> None:
    """Light that e^±Im y describes leaves the range of numbers long before the shell is opaque."""
    size, index = tensors(300.0, 1.1 + 4j)
    core = tensors(100.0, 1.4)
    size.requires_grad_()
    plain = torch.stack(coefficients(size, index))
    coated = torch.stack(coefficients(size, index, core))
    torch.testing.assert_close(coated, plain, rtol=1e-10, atol=1e-12)
    slopes = [torch.autograd.grad(c.abs().square().sum(), size)[0] for c in (plain, coated)]
    torch.testing.assert_close(*slopes, rtol=1e-8, atol=1e-10)


def test_a_black_core_like_its_black_shell_changes_nothing() -> None:
    """A shell thin enough to see through, where the functions at both surfaces overflow."""
    size, index = tensors(300.0, 1.1 + 4j)
    plain = torch.stack(coefficients(size, index))
    coated = torch.stack(coefficients(size, index, tensors(299.9, 1.1 + 4j)))
    torch.testing.assert_close(coated, plain, rtol=1e-9, atol=1e-11)
