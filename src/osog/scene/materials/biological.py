"""Cells and their parts, blood pigment, proteins, and organic crystals."""

from dataclasses import dataclass
from typing import Any

from osog.scene.materials.formulas import (
    SODIUM_UM,
    Constant,
    Dissolved,
    Formula,
    Rosker,
    Sellmeier,
    Table,
    Water,
)
from osog.scene.materials.substance import Substance

INCREMENT = 0.190
"""dn/dc of proteins in ml/g at 0.578 µm (Zhao, Brown & Schuck, Biophys. J. 100, 2309 (2011))."""
_HAEMOGLOBIN_INCREMENT = 0.193
_PROTEIN = "Zhao, Brown & Schuck, Biophys. J. 100, 2309 (2011)"
_DISPERSION = "Perlmann & Longsworth, J. Am. Chem. Soc. 70, 2719 (1948)"
_PRAHL = "Gratzer and Kollias, compiled by Prahl (Oregon Medical Laser Center, 1998)"
_BARER = "Barer & Joseph, Q. J. Microsc. Sci. 95, 399 (1954)"
_VISIBLE_UM = (0.36, 1.0)
_DALTON_PER_CUBIC_ANGSTROM = 1.66054
_LN_10 = 2.302585093
_HAEM_GRAMS_PER_MOL = 64500.0
ATOMIC_REFRACTION = {
    "carbon": 2.418, "hydrogen": 1.100, "hydroxyl": 1.525, "carbonyl": 2.211, "ether": 1.643,
    "amine": 2.322,
}  # fmt: skip
"""Share of an atom in the molar refraction in cm³ at the sodium line; the last four are oxygen and
nitrogen by how they are bound (Eisenlohr, Z. Phys. Chem. 75, 585 (1910) and 79, 129 (1912))."""
_OXY = (
    (350, 360, 370, 380, 390, 394, 398, 402, 406, 408, 410, 412, 414, 416, 418, 420, 422, 424,
     426, 430, 434, 438, 442, 446, 450, 460, 470, 480, 490, 500, 508, 514, 520, 526, 530, 536,
     540, 542, 546, 550, 556, 560, 564, 568, 572, 576, 578, 580, 584, 588, 592, 596, 600, 610,
     620, 630, 640, 650, 660, 680, 700, 750, 800),
    (106576, 94744, 88176, 109564, 167748, 212060, 248404, 284224, 354208, 422320, 466840,
     500200, 524280, 521880, 515520, 480360, 431880, 376236, 326032, 246072, 165332, 119140,
     92780, 76324, 62816, 44480, 33209.2, 26629.2, 23684.4, 20932.8, 19996, 20429.2, 24202.4,
     32496.4, 39956.8, 49752, 53236, 53292, 49868, 43016, 34476.8, 32613.2, 33915.6, 40172,
     49172, 55540, 54728, 50104, 34639.6, 19763.2, 10468.4, 5683.6, 3200, 1506, 942, 610, 442,
     368, 319.6, 277.6, 290, 518, 816),
)  # fmt: skip
_DEOXY = (
    (350, 360, 370, 380, 390, 400, 410, 416, 420, 424, 428, 430, 432, 434, 436, 438, 440, 442,
     444, 446, 448, 450, 452, 454, 460, 470, 480, 490, 500, 510, 520, 530, 540, 550, 556, 560,
     570, 580, 590, 600, 610, 620, 630, 640, 650, 660, 680, 700, 730, 750, 758, 780, 800),
    (122092, 134940, 139968, 145232, 167780, 223296, 303956, 363848, 407560, 461200, 500840,
     528600, 552160, 552160, 547040, 501560, 413280, 363240, 282724, 237224, 173320, 103292,
     62640, 36170, 23388.8, 16156.4, 14550, 16684, 20862, 25773.6, 31589.6, 39036.4, 46592,
     53412, 54540, 53788, 45072, 37020, 28324.4, 14677.2, 9443.6, 6509.6, 5148.8, 4345.2,
     3750.12, 3226.56, 2407.92, 1794.28, 1102.2, 1405.24, 1560.48, 1075.44, 761.72),
)  # fmt: skip
"""Wavelengths in nm and molar extinction ε in 1/(cm mol/l) of a tetramer, four haems."""


@dataclass(frozen=True)
class _Watery:
    """What is mostly water and protein, by its index at the sodium line."""

    index: float

    def __call__(self, wavelength_um: Any) -> Any:
        above = self.index - Water()(SODIUM_UM)
        unit = Dissolved(1.0, 1.0)
        share = above / (unit(SODIUM_UM) - Water()(SODIUM_UM))
        return Dissolved(share, 1.0)(wavelength_um)


def _haemoglobin(name: str, grams_per_litre: float, spectrum: Any, state: str) -> Substance:
    per_um = _LN_10 * 1e-4 * grams_per_litre / _HAEM_GRAMS_PER_MOL
    wavelengths, extinction = spectrum
    return Substance(
        name=f"{name} {grams_per_litre:g} g/l",
        family="biological",
        ordinary=Dissolved(grams_per_litre / 1000, _HAEMOGLOBIN_INCREMENT),
        absorption=Table(tuple(nm / 1000 for nm in wavelengths), extinction, per_um),
        range_um=(0.35, 0.8),
        source=f"absorption: {_PRAHL}; dn/dc 0.193 ml/g: {_BARER}; dispersion: {_DISPERSION}",
        note=f"{state}, {grams_per_litre:g} g/l; its Soret band bends the index by up to 0.01 "
        "between 0.39 and 0.45 µm, which is left out",
        error=0.005,
    )


def haemoglobin(grams_per_litre: float) -> Substance:
    """Oxygenated haemoglobin in water, 0 to 500 g/l."""
    return _haemoglobin("haemoglobin", grams_per_litre, _OXY, "oxygenated")


def deoxyhaemoglobin(grams_per_litre: float) -> Substance:
    """Haemoglobin without oxygen in water, 0 to 500 g/l."""
    return _haemoglobin("deoxyhaemoglobin", grams_per_litre, _DEOXY, "without oxygen")


def protein(grams_per_litre: float) -> Substance:
    """Protein in water, 0 to 1400 g/l."""
    return Substance(
        name=f"protein {grams_per_litre:g} g/l",
        family="biological",
        ordinary=Dissolved(grams_per_litre / 1000, INCREMENT),
        range_um=_VISIBLE_UM,
        source=f"dn/dc 0.190 ml/g: {_PROTEIN}; dispersion: {_DISPERSION}",
        note=f"{grams_per_litre:g} g/l in water, 20 °C",
        error=0.005,
    )


def _crystal(
    name: str, molecules: int, mass: float, volume: float, cell: str, state: str
) -> Substance:
    """Protein crystal in its mother liquor, by the protein in its unit cell (Å³)."""
    concentration = _DALTON_PER_CUBIC_ANGSTROM * molecules * mass / volume
    return Substance(
        name=name,
        family="biological",
        ordinary=Dissolved(concentration, INCREMENT),
        range_um=_VISIBLE_UM,
        source=f"cell: {cell}; dn/dc 0.190 ml/g: {_PROTEIN}; dispersion: {_DISPERSION}",
        note=f"{state}, {1000 * concentration:.0f} g/l of protein in water; worked out from the "
        "unit cell, salts and birefringence left out",
        error=0.01,
    )


def _watery(name: str, index: float, source: str, note: str, error: float) -> Substance:
    return Substance(
        name=name,
        family="biological",
        ordinary=_Watery(index),
        range_um=_VISIBLE_UM,
        source=f"{source}; dispersion: {_DISPERSION}",
        note=note,
        error=error,
    )


_RED_CELL = haemoglobin(330.0)
BIOLOGICAL = (
    _watery(
        "cytoplasm", 1.370, "Choi et al., Nat. Methods 4, 717 (2007)",
        "HeLa cells 1.36 to 1.38; by protein and water", 0.01,
    ),
    _watery(
        "nucleus", 1.355, "Schürmann et al., J. Biophotonics 9, 1068 (2016)",
        "below the cytoplasm, 1.35 to 1.36; by protein and water", 0.005,
    ),
    Substance(
        name="lipid",
        family="biological",
        ordinary=Sellmeier(1.0, ((1.1236, 1.05566963e-2), (0.2725, 18.867))),
        range_um=(0.475, 1.55),
        source="Yanina, Lazareva & Tuchin, Appl. Opt. 57, 4839 (2018)",
        note="human adipose tissue, 23 °C: droplets of triglycerides",
        error=0.003,
    ),
    Substance(
        name="red blood cell",
        family="biological",
        ordinary=_RED_CELL.ordinary,
        absorption=_RED_CELL.absorption,
        range_um=_RED_CELL.range_um,
        source=_RED_CELL.source,
        note=_RED_CELL.note,
        error=_RED_CELL.error,
        also=("haemoglobin", "hemoglobin"),
    ),
    _watery(
        "lysozyme", 1.540, "Aldrich tabulation",
        "dry tetragonal crystals; wet ones are 'lysozyme crystal'", 0.005,
    ),
    _watery(
        "protein crystal", 1.520, "between dry protein (1.54 to 1.59) and wet crystals",
        "any protein, partly dried", 0.03,
    ),
    _crystal(
        "lysozyme crystal", 8, 14305.0, 79.1 * 79.1 * 37.9,
        "P4₃2₁2, 79.1 × 37.9 Å, 8 × 14.3 kDa", "tetragonal, wet",
    ),
    _crystal(
        "insulin crystal", 18, 5778.0, 82.5 * 82.5 * 34.0 * 3**0.5 / 2,
        "R3, 82.5 × 34.0 Å, 18 × 5.8 kDa (Baker et al. 1988)", "rhombohedral 2-zinc, wet",
    ),
    _crystal(
        "thaumatin crystal", 8, 22200.0, 58.6 * 58.6 * 151.8,
        "P4₁2₁2, 58.6 × 151.8 Å, 8 × 22.2 kDa (Ko et al. 1994)", "tetragonal, wet",
    ),
    Substance(
        name="cellulose",
        family="biological",
        ordinary=Sellmeier(1.0, ((1.124, 0.011087),)),
        range_um=(0.4368, 1.052),
        source="Sultanova, Kasarova & Nikolov, Acta Phys. Pol. A 116, 585 (2009)",
        note="regenerated film, 20 °C; fibres are 'cotton'",
    ),
    Substance(
        name="cotton",
        family="biological",
        ordinary=Constant(1.532),
        extraordinary=Constant(1.578),
        range_um=(SODIUM_UM, SODIUM_UM),
        source="Heyn, Fiber Microscopy (1954)",
        note="axis along the fibre; no dispersion known",
        error=0.003,
    ),
    Substance(
        name="starch",
        family="biological",
        ordinary=Constant(1.53),
        range_um=(SODIUM_UM, SODIUM_UM),
        source="McCrone & Delly, The Particle Atlas (1973)",
        note="granules; their axis is radial, so no birefringence is given",
        error=0.005,
    ),
)  # fmt: skip


def _stand_in(
    name: str, indices: tuple[float, float, float], error: float, state: str
) -> Substance:
    """Biaxial crystal as a uniaxial one: both indices that lie closer are taken as their mean."""
    alpha, beta, gamma = indices
    negative = gamma - beta < beta - alpha
    close, far = ((beta + gamma) / 2, alpha) if negative else ((alpha + beta) / 2, gamma)
    ordinary: Formula = Constant(close)
    return Substance(
        name=name,
        family="organic crystal",
        ordinary=ordinary,
        extraordinary=Constant(far),
        range_um=(SODIUM_UM, SODIUM_UM),
        source="Winchell, The Optical Properties of Organic Compounds, 2nd ed. (1954)",
        note=f"{state}, biaxial α {alpha:g}, β {beta:g}, γ {gamma:g}; ordinary index: the mean of "
        f"{'β and γ' if negative else 'α and β'}, axis along {'α' if negative else 'γ'}; no "
        "dispersion known",
        error=error,
    )


def index_of_molecules(atoms: dict[str, int], grams_per_cubic_cm: float, mass: float) -> float:
    """Mean index of a substance at the sodium line, after Lorentz and Lorenz, within 0.035.

    (n² − 1) / (n² + 2) = R ϱ / M. Bound charges make the real index of an amino acid lower.

    Parameters
    ----------
    atoms : dict of str to int
        Number of each of `ATOMIC_REFRACTION` in a molecule.
    grams_per_cubic_cm : float
    mass : float
        In g/mol.
    """
    refraction = sum(ATOMIC_REFRACTION[name] * count for name, count in atoms.items())
    share = refraction * grams_per_cubic_cm / mass
    return float(((1 + 2 * share) / (1 - share)) ** 0.5)


_THREONINE_CELL = 13.611 * 7.738 * 5.144
_THREONINE = index_of_molecules(
    {"carbon": 4, "hydrogen": 9, "amine": 1, "hydroxyl": 2, "carbonyl": 1},
    _DALTON_PER_CUBIC_ANGSTROM * 4 * 119.12 / _THREONINE_CELL, 119.12,
)  # fmt: skip
ORGANIC = (
    Substance(
        name="urea",
        family="organic crystal",
        ordinary=Sellmeier(2.1823, ((0.0125, 0.0300),), power=0),
        extraordinary=Rosker(2.51527, 0.0240, 0.0300, 0.020, 1.52, 0.8771),
        range_um=(0.3, 1.06),
        source="Rosker, Cheng & Tang, IEEE J. Quantum Electron. 21, 1600 (1985)",
        note="room temperature",
    ),
    _stand_in("sucrose", (1.5376, 1.5651, 1.5705), 0.008, "monoclinic"),
    _stand_in("glycine", (1.4955, 1.615, 1.650), 0.02, "α form"),
    Substance(
        name="threonine",
        family="organic crystal",
        ordinary=Constant(round(_THREONINE, 4)),
        range_um=(SODIUM_UM, SODIUM_UM),
        source="cell: P2₁2₁2₁, 13.611 × 7.738 × 5.144 Å, 4 × 119.1 Da (Shoemaker et al., J. Am. "
        "Chem. Soc. 72, 2328 (1950)); atomic refractions: Eisenlohr, Z. Phys. Chem. 75, 585 (1910)",
        note="L form; worked out after Lorentz and Lorenz, which gives glycine 0.032 too high; "
        "birefringence and dispersion left out",
        error=0.03,
    ),
)
