"""Optical constants of metals."""

from osog.scene.materials.formulas import FromExtinction, Table
from osog.scene.materials.substance import Substance

_WAVELENGTH_UM = (
    0.1879, 0.1916, 0.1953, 0.1993, 0.2033, 0.2073, 0.2119, 0.2164, 0.2214, 0.2262, 0.2313, 0.2371,
    0.2426, 0.2490, 0.2551, 0.2616, 0.2689, 0.2761, 0.2844, 0.2924, 0.3009, 0.3107, 0.3204, 0.3315,
    0.3425, 0.3542, 0.3679, 0.3815, 0.3974, 0.4133, 0.4305, 0.4509, 0.4714, 0.4959, 0.5209, 0.5486,
    0.5821, 0.6168, 0.6595, 0.7045, 0.7560, 0.8211, 0.8920, 0.9840, 1.0880, 1.2160, 1.3930, 1.6100,
    1.9370,
)  # fmt: skip
METALS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "gold": (
        (
            1.28, 1.32, 1.34, 1.33, 1.33, 1.30, 1.30, 1.30, 1.30, 1.31, 1.30, 1.32, 1.32, 1.33,
            1.33, 1.35, 1.38, 1.43, 1.47, 1.49, 1.53, 1.53, 1.54, 1.48, 1.48, 1.50, 1.48, 1.46,
            1.47, 1.46, 1.45, 1.38, 1.31, 1.04, 0.62, 0.43, 0.29, 0.21, 0.14, 0.13, 0.14, 0.16,
            0.17, 0.22, 0.27, 0.35, 0.43, 0.56, 0.92,
        ),
        (
            1.188, 1.203, 1.226, 1.251, 1.277, 1.304, 1.350, 1.387, 1.427, 1.460, 1.497, 1.536,
            1.577, 1.631, 1.688, 1.749, 1.803, 1.847, 1.869, 1.878, 1.889, 1.893, 1.898, 1.883,
            1.871, 1.866, 1.895, 1.933, 1.952, 1.958, 1.948, 1.914, 1.849, 1.833, 2.081, 2.455,
            2.863, 3.272, 3.697, 4.103, 4.542, 5.083, 5.663, 6.350, 7.150, 8.145, 9.519, 11.21,
            13.78,
        ),
    ),
    "silver": (
        (
            1.07, 1.10, 1.12, 1.14, 1.15, 1.18, 1.20, 1.22, 1.25, 1.26, 1.28, 1.28, 1.30, 1.31,
            1.33, 1.35, 1.38, 1.41, 1.41, 1.39, 1.34, 1.13, 0.81, 0.17, 0.14, 0.10, 0.07, 0.05,
            0.05, 0.05, 0.04, 0.04, 0.05, 0.05, 0.05, 0.06, 0.05, 0.06, 0.05, 0.04, 0.03, 0.04,
            0.04, 0.04, 0.04, 0.09, 0.13, 0.15, 0.24,
        ),
        (
            1.212, 1.232, 1.255, 1.277, 1.296, 1.312, 1.325, 1.336, 1.342, 1.344, 1.357, 1.367,
            1.378, 1.389, 1.393, 1.387, 1.372, 1.331, 1.264, 1.161, 0.964, 0.616, 0.392, 0.829,
            1.142, 1.419, 1.657, 1.864, 2.070, 2.275, 2.462, 2.657, 2.869, 3.093, 3.324, 3.586,
            3.858, 4.152, 4.483, 4.838, 5.242, 5.727, 6.312, 6.992, 7.795, 8.828, 10.10, 11.85,
            14.08,
        ),
    ),
    "copper": (
        (
            0.94, 0.95, 0.97, 0.98, 0.99, 1.01, 1.04, 1.08, 1.13, 1.18, 1.23, 1.28, 1.34, 1.37,
            1.41, 1.41, 1.45, 1.46, 1.45, 1.42, 1.40, 1.38, 1.38, 1.34, 1.36, 1.37, 1.36, 1.33,
            1.32, 1.28, 1.25, 1.24, 1.25, 1.22, 1.18, 1.02, 0.70, 0.30, 0.22, 0.21, 0.24, 0.26,
            0.30, 0.32, 0.36, 0.48, 0.60, 0.76, 1.09,
        ),
        (
            1.337, 1.388, 1.440, 1.493, 1.550, 1.599, 1.651, 1.699, 1.737, 1.768, 1.792, 1.802,
            1.799, 1.783, 1.741, 1.691, 1.668, 1.646, 1.633, 1.633, 1.679, 1.729, 1.783, 1.821,
            1.864, 1.916, 1.975, 2.045, 2.116, 2.207, 2.305, 2.397, 2.483, 2.564, 2.608, 2.577,
            2.704, 3.205, 3.747, 4.205, 4.665, 5.180, 5.768, 6.421, 7.217, 8.245, 9.439, 11.12,
            13.43,
        ),
    ),
}  # fmt: skip
"""n and κ of n + iκ at room temperature by name, at the wavelengths above.

Source: Johnson & Christy, Phys. Rev. B 6, 4370 (1972), thin films, as tabulated in the public
domain by refractiveindex.info (Polyanskiy 2024). Their errors are 0.02 to 0.04 in n, which for
silver in the visible is as much as n itself; grains and rough surfaces absorb more.
"""
METAL_RANGE_UM = (_WAVELENGTH_UM[0], _WAVELENGTH_UM[-1])
METAL_ROWS = tuple(
    Substance(
        name=name,
        family="metal",
        ordinary=Table(_WAVELENGTH_UM, index),
        absorption=FromExtinction(Table(_WAVELENGTH_UM, extinction)),
        range_um=METAL_RANGE_UM,
        source="Johnson & Christy, Phys. Rev. B 6, 4370 (1972)",
        note="evaporated film; linear between the measured wavelengths",
        error=0.03,
    )
    for name, (index, extinction) in METALS.items()
)


def metal_numbers(name: str, wavelength_um: float) -> dict[str, float]:
    """Index and absorption of a metal, as the fields of a material hold them.

    Parameters
    ----------
    name : str
        One of `METALS`.
    wavelength_um : float
        In vacuum; beyond `METAL_RANGE_UM` the values of its ends hold.

    Returns
    -------
    dict
        ``index`` n and ``absorption_per_um`` 4πκ/λ, interpolated linearly in the wavelength.
    """
    return next(row for row in METAL_ROWS if row.name == name).numbers(wavelength_um)


__all__ = ["METALS", "METAL_RANGE_UM", "METAL_ROWS", "metal_numbers"]
