"""Glasses, polymers and inorganic crystals."""

from osog.scene.materials.formulas import (
    C_PRIME_LINE_UM,
    E_LINE_UM,
    F_PRIME_LINE_UM,
    SODIUM_UM,
    Constant,
    Sellmeier,
    Table,
    TwoTerms,
    Zernike,
)
from osog.scene.materials.substance import Substance

_SULTANOVA = "Sultanova, Kasarova & Nikolov, Acta Phys. Pol. A 116, 585 (2009)"
_GHOSH = "Ghosh, Opt. Commun. 163, 95 (1999)"
_LI = "Li, J. Phys. Chem. Ref. Data 5, 329 (1976)"
_DEVORE = "Devore, J. Opt. Soc. Am. 41, 416 (1951)"
_ZERNIKE = "Zernike, J. Opt. Soc. Am. 54, 1215 (1964)"
_WARREN = "Warren & Brandt, J. Geophys. Res. 113, D14220 (2008)"


def _squares(*terms: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Terms whose resonances are stated as wavelengths, not as their squares."""
    return tuple((strength, resonance**2) for strength, resonance in terms)


GLASSES = (
    Substance(
        name="glass",
        family="glass",
        ordinary=Sellmeier(
            1.0,
            (
                (1.03961212, 0.00600069867),
                (0.231792344, 0.0200179144),
                (1.01046945, 103.560653),
            ),
        ),
        range_um=(0.3, 2.5),
        source="Schott, data sheet N-BK7 (2014)",
        also=("n-bk7", "bk7"),
    ),
    Substance(
        name="cover glass",
        family="glass",
        ordinary=TwoTerms(1.5255, 56.0, (E_LINE_UM, F_PRIME_LINE_UM, C_PRIME_LINE_UM)),
        range_um=(0.4, 0.76),
        source="ISO 8255-1:2017",
        note="n_e = 1.5255 ± 0.0015, V_e = 56 ± 2; two-term Cauchy law",
        error=0.0015,
    ),
    Substance(
        name="silica",
        family="glass",
        ordinary=Sellmeier(
            1.0,
            _squares((0.6961663, 0.0684043), (0.4079426, 0.1162414), (0.8974794, 9.896161)),
        ),
        range_um=(0.21, 3.71),
        source="Malitson, J. Opt. Soc. Am. 55, 1205 (1965)",
        note="fused, 20 °C; colloidal silica is porous, 1.42 to 1.46",
        also=("fused silica",),
    ),
)
POLYMERS = (
    Substance(
        name="polystyrene",
        family="polymer",
        ordinary=Sellmeier(1.0, ((1.4435, 0.020216),)),
        range_um=(0.4368, 1.052),
        source=_SULTANOVA,
        note="20 °C",
    ),
    Substance(
        name="pmma",
        family="polymer",
        ordinary=Sellmeier(1.0, ((1.1819, 0.011313),)),
        range_um=(0.4368, 1.052),
        source=_SULTANOVA,
        note="20 °C",
        also=("acrylic",),
    ),
    Substance(
        name="polycarbonate",
        family="polymer",
        ordinary=Sellmeier(1.0, ((1.4182, 0.021304),)),
        range_um=(0.4368, 1.052),
        source=_SULTANOVA,
        note="20 °C",
    ),
    Substance(
        name="pdms",
        family="polymer",
        ordinary=Sellmeier(1.0, ((1.0093, 0.013185),)),
        range_um=(0.35, 0.7),
        source="Schneider et al., Sens. Actuators A 151, 95 (2009)",
        note="Sylgard 184",
    ),
    Substance(
        name="melamine",
        family="polymer",
        ordinary=Constant(1.68),
        range_um=(SODIUM_UM, SODIUM_UM),
        source="microParticles GmbH, melamine-formaldehyde microparticles",
        note="melamine-formaldehyde resin, n_D; no dispersion known",
        error=0.02,
        also=("melamine resin",),
    ),
)
CRYSTALS = (
    Substance(
        name="calcite",
        family="crystal",
        ordinary=Sellmeier(1.73358749, ((0.96464345, 1.94325203e-2), (1.82831454, 120.0))),
        extraordinary=Sellmeier(1.35859695, ((0.82427830, 1.06689543e-2), (0.14429128, 120.0))),
        range_um=(0.204, 2.172),
        source=_GHOSH,
        note="room temperature",
    ),
    Substance(
        name="quartz",
        family="crystal",
        ordinary=Sellmeier(1.28604141, ((1.07044083, 1.00585997e-2), (1.10202242, 100.0))),
        extraordinary=Sellmeier(1.28851804, ((1.09509924, 1.02101864e-2), (1.15662475, 100.0))),
        range_um=(0.198, 2.0531),
        source=_GHOSH,
        note="room temperature; optical activity is left out",
    ),
    Substance(
        name="sodium chloride",
        family="crystal",
        ordinary=Sellmeier(
            1.00055,
            _squares(
                (0.19800, 0.050),
                (0.48398, 0.100),
                (0.38696, 0.128),
                (0.25998, 0.158),
                (0.08796, 40.50),
                (3.17064, 60.98),
                (0.30038, 120.34),
            ),
        ),
        range_um=(0.2, 30.0),
        source=_LI,
        note="24 °C",
        also=("nacl", "salt", "halite"),
    ),
    Substance(
        name="potassium chloride",
        family="crystal",
        ordinary=Sellmeier(
            1.26486,
            _squares((0.30523, 0.100), (0.41620, 0.131), (0.18870, 0.162), (2.6200, 70.42)),
        ),
        range_um=(0.18, 35.0),
        source=_LI,
        note="24 °C",
        also=("kcl",),
    ),
    Substance(
        name="fluorite",
        family="crystal",
        ordinary=Sellmeier(
            1.0,
            _squares(
                (0.5675888, 0.050263605), (0.4710914, 0.1003909), (3.8484723, 34.649040)
            ),
        ),
        range_um=(0.23, 9.7),
        source="Malitson, Appl. Opt. 2, 1103 (1963)",
        note="24 °C",
        also=("calcium fluoride", "caf2"),
    ),
    Substance(
        name="sapphire",
        family="crystal",
        ordinary=Sellmeier(
            1.0,
            _squares(
                (1.4313493, 0.0726631), (0.65054713, 0.1193242), (5.3414021, 18.028251)
            ),
        ),
        extraordinary=Sellmeier(
            1.0,
            _squares(
                (1.5039759, 0.0740288), (0.55069141, 0.1216529), (6.5927379, 20.072248)
            ),
        ),
        range_um=(0.2, 5.0),
        source="Malitson & Dodge, J. Opt. Soc. Am. 62, 1405 (1972)",
        note="20 °C",
        also=("alumina", "corundum"),
    ),
    Substance(
        name="titania",
        family="crystal",
        ordinary=Sellmeier(5.913, ((0.2441, 0.0803),), power=0),
        extraordinary=Sellmeier(7.197, ((0.3322, 0.0843),), power=0),
        range_um=(0.43, 1.53),
        source=_DEVORE,
        note="rutile",
        also=("rutile", "titanium dioxide", "tio2"),
    ),
    Substance(
        name="diamond",
        family="crystal",
        ordinary=Sellmeier(1.0, _squares((0.3306, 0.1750), (4.3356, 0.1060))),
        range_um=(0.226, 0.76),
        source="Peter, Z. Phys. 15, 358 (1923)",
    ),
    Substance(
        name="potassium dihydrogen phosphate",
        family="crystal",
        ordinary=Zernike(2.259276, 0.01008956, 0.0129426, 13.00522, 400.0),
        extraordinary=Zernike(2.132668, 0.008637494, 0.0122810, 3.2279924, 400.0),
        range_um=(0.2138, 1.529),
        source=_ZERNIKE,
        note="24.8 °C",
        also=("kdp",),
    ),
    Substance(
        name="ice",
        family="crystal",
        ordinary=Table(
            (0.35, 0.39, 0.4, 0.41, 0.42, 0.43, 0.44, 0.45, 0.46, 0.47, 0.48, 0.49, 0.5, 0.51,
             0.52, 0.53, 0.54, 0.55, 0.56, 0.57, 0.58, 0.59, 0.6, 0.61, 0.62, 0.63, 0.64, 0.65,
             0.66, 0.67, 0.68, 0.69, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0),
            (1.3249, 1.3203, 1.3194, 1.3185, 1.3177, 1.3170, 1.3163, 1.3157, 1.3151, 1.3145,
             1.3140, 1.3135, 1.3130, 1.3126, 1.3121, 1.3117, 1.3114, 1.3110, 1.3106, 1.3103,
             1.3100, 1.3097, 1.3094, 1.3091, 1.3088, 1.3085, 1.3083, 1.3080, 1.3078, 1.3076,
             1.3073, 1.3071, 1.3069, 1.3059, 1.3049, 1.3040, 1.3032, 1.3023, 1.3015),
        ),
        range_um=(0.35, 1.0),
        source=_WARREN,
        note="−7 °C, mean of both rays; their difference, 0.0014, is left out",
    ),
)  # fmt: skip
