"""Air, aqueous solutions, solvents and oils."""

from osog.scene.materials.formulas import (
    C_PRIME_LINE_UM,
    E_LINE_UM,
    F_PRIME_LINE_UM,
    SODIUM_UM,
    Constant,
    Gas,
    Mixed,
    Powers,
    Sellmeier,
    Shifted,
    Table,
    TwoTerms,
    Water,
)
from osog.scene.materials.substance import Substance

WATER_RANGE_UM = (0.2, 1.1)
IAPWS = "IAPWS R9-97; Harvey, Gallagher & Levelt Sengers, J. Phys. Chem. Ref. Data 27, 761 (1998)"
_BARROSO = "Barroso et al., Proc. SPIE 10887, 1088729 (2019)"
_RHEIMS = "Rheims, Köser & Wriedt, Meas. Sci. Technol. 8, 601 (1997)"
_E_LINES = (E_LINE_UM, F_PRIME_LINE_UM, C_PRIME_LINE_UM)
_GLYCEROL = Powers(((1.45797, 0), (0.00598, -2), (-0.00036, -4)))
GLYCEROL_PERCENT = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0)
GLYCEROL_INDEX = (
    1.33303, 1.34481, 1.35749, 1.37070, 1.38413, 1.39809, 1.41299, 1.42789, 1.44290, 1.45839,
    1.47399,
)  # fmt: skip
"""n_D of glycerol in water at 20 °C by its mass percent (Hoyt 1934), relative to air."""
SUCROSE_PERCENT = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0)
SUCROSE_INDEX = (
    1.33299, 1.34782, 1.36384, 1.38115, 1.39986, 1.42009, 1.44193, 1.46546, 1.49071,
)  # fmt: skip
"""n_D of sucrose in water at 20 °C by its mass percent (ICUMSA 1974), relative to air."""
_OF_AIR = 1.00027
"""Index of the air that refractometers measure against."""


def water(celsius: float) -> Substance:
    """Water at a temperature of 0 to 100 °C."""
    return Substance(
        name=f"water {celsius:g} °C",
        family="liquid",
        ordinary=Water(celsius),
        range_um=WATER_RANGE_UM,
        source=IAPWS,
        note=f"{celsius:g} °C, 0.1 MPa",
    )


def glycerol_in_water(percent: float) -> Substance:
    """Glycerol and water by the mass percent of glycerol, 0 to 100."""
    index = Table(GLYCEROL_PERCENT, GLYCEROL_INDEX, _OF_AIR)(percent)
    glycerol = Shifted(_GLYCEROL, GLYCEROL_INDEX[-1] * _OF_AIR)
    return Substance(
        name=f"glycerol {percent:g} %",
        family="liquid",
        ordinary=Mixed(Water(), glycerol, index),
        range_um=(0.5893, 1.05),
        source=f"n_D: Hoyt, Ind. Eng. Chem. 26, 329 (1934); dispersion: {IAPWS}, and {_RHEIMS}",
        note=f"{percent:g} % glycerol by mass, 20 °C; dispersion between that of both",
        error=0.001,
    )


def sucrose_in_water(percent: float) -> Substance:
    """Sucrose solution by its mass percent (Brix), 0 to 80."""
    index = Table(SUCROSE_PERCENT, SUCROSE_INDEX, _OF_AIR)(percent)
    return Substance(
        name=f"sucrose {percent:g} %",
        family="liquid",
        ordinary=Shifted(Water(), index),
        range_um=WATER_RANGE_UM,
        source=f"n_D: ICUMSA 16th session (1974), as in OIML R 142; dispersion: {IAPWS}",
        note=f"{percent:g} % sucrose by mass, 20 °C; n − 1 disperses as that of water",
        error=0.001,
    )


LIQUIDS = (
    Substance(
        name="air",
        family="gas",
        ordinary=Gas(((0.05792105, 238.0185), (0.00167917, 57.362))),
        range_um=(0.23, 1.69),
        source="Ciddor, Appl. Opt. 35, 1566 (1996)",
        note="dry, 15 °C, 101.325 kPa, 450 ppm CO₂",
    ),
    Substance(
        name="water",
        family="liquid",
        ordinary=Water(20.0),
        range_um=WATER_RANGE_UM,
        source=IAPWS,
        note="20 °C; 'water 37 °C' for another temperature, 0 to 100 °C",
    ),
    Substance(
        name="pbs",
        family="liquid",
        ordinary=Powers(((1.7828, 0), (-0.0015, -2), (0.0009, -4), (-0.0179, 2)), squared=True),
        range_um=(0.5, 1.1),
        source=_BARROSO,
        note="Dulbecco's phosphate-buffered saline, 22 °C",
        error=0.0003,
    ),
    Substance(
        name="culture medium",
        family="liquid",
        ordinary=Powers(((1.7826, 0), (-0.0008, -2), (0.0009, -4), (-0.0171, 2)), squared=True),
        range_um=(0.5, 1.1),
        source=_BARROSO,
        note="DMEM with 10 % fetal bovine serum, 22 °C",
        error=0.0003,
        also=("dmem",),
    ),
    Substance(
        name="ethanol",
        family="liquid",
        ordinary=Powers(((1.34959, 0), (4.0147128e-3, -2), (-5.9411155e-5, -4), (3.04975e-6, -6))),
        range_um=(0.23, 0.6407),
        source="Kozma, Krok & Riedle, J. Opt. Soc. Am. B 22, 1479 (2005)",
        note="22 °C",
    ),
    Substance(
        name="dmso",
        family="liquid",
        ordinary=Sellmeier(1.0, ((0.04419, 0.04639067309), (1.09101, 0.01221543949))),
        range_um=(0.23687, 0.6407),
        source="Kozma, Krok & Riedle, J. Opt. Soc. Am. B 22, 1479 (2005)",
        note="22 °C",
        also=("dimethyl sulfoxide",),
    ),
    Substance(
        name="1-propanol",
        family="liquid",
        ordinary=Powers(
            (
                (1.893400242, 0),
                (-0.003349425, 2),
                (0.004418653, -2),
                (0.00108023, -4),
                (-0.000067337, -6),
            ),
            squared=True,
        ),
        range_um=(0.45, 1.551),
        source="Moutzouris et al., Appl. Phys. B 116, 617 (2013)",
        note="27 °C",
    ),
    Substance(
        name="glycerol",
        family="liquid",
        ordinary=_GLYCEROL,
        range_um=(0.5893, 1.05),
        source=_RHEIMS,
        note="25 °C; 'glycerol 60 %' for its mixtures with water by mass",
    ),
    Substance(
        name="immersion oil",
        family="oil",
        ordinary=TwoTerms(1.5180, 44.0, _E_LINES),
        range_um=(0.4, 0.76),
        source="ISO 8036-1:1998",
        note="n_e = 1.5180 ± 0.0005, V_e = 44 ± 3, 23 °C; two-term Cauchy law",
        error=0.001,
    ),
    Substance(
        name="silicone oil",
        family="oil",
        ordinary=Shifted(Sellmeier(1.0, ((1.0093, 0.013185),)), 1.406, E_LINE_UM),
        range_um=(0.35, 0.7),
        source="n_e: Olympus SIL300CS; dispersion: Schneider et al., Sens. Actuators A 151, 95 "
        "(2009)",
        note="silicone immersion, 23 °C; n − 1 disperses as that of PDMS",
        error=0.001,
    ),
    Substance(
        name="mineral oil",
        family="oil",
        ordinary=Constant(1.467),
        range_um=(SODIUM_UM, SODIUM_UM),
        source="Sigma-Aldrich M5904 (light mineral oil), n_D at 20 °C",
        note="no dispersion known",
        error=0.004,
        also=("paraffin oil",),
    ),
)
