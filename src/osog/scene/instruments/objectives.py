"""Objectives: numerical aperture, magnification, working distance, immersion, tube lens."""

from osog.scene.instruments.item import Instrument

_IMMERSIONS = {
    "air": (1.0, None),
    "water": (1.333, "water"),
    "silicone": (1.406, "silicone oil"),
    "glycerol": (1.45, "glycerol 80 %"),
    "oil": (1.518, "immersion oil"),
}
TUBE_LENS_MM = {"Nikon": 200.0, "Leica": 200.0, "Evident": 180.0, "Zeiss": 164.5, "Mitutoyo": 200.0}
"""Focal length for which each maker's magnifications hold."""
_EVIDENT = "Evident (Olympus) lens table of the IX85 software, as in Micro-Manager (2025)"
_NIKON = "Nikon Instruments, CFI60 objectives catalogue"
_ZEISS = "Carl Zeiss Microscopy, objectives database"
_LEICA = "Leica Microsystems, objective finder"
_MITUTOYO = "Mitutoyo, microscope units and objectives catalogue"

_ROWS = (
    # maker, name, magnification, NA, immersion, working distance in mm, source
    ("Evident", "UPLXAPO4X", 4, 0.16, "air", 13.0, _EVIDENT),
    ("Evident", "UPLXAPO10X", 10, 0.40, "air", 3.1, _EVIDENT),
    ("Evident", "UPLXAPO20X", 20, 0.80, "air", 0.6, _EVIDENT),
    ("Evident", "UPLXAPO40X", 40, 0.95, "air", 0.18, _EVIDENT),
    ("Evident", "UPLXAPO40XO", 40, 1.40, "oil", 0.13, _EVIDENT),
    ("Evident", "UPLXAPO60XO", 60, 1.42, "oil", 0.15, _EVIDENT),
    ("Evident", "UPLXAPO60XW", 60, 1.20, "water", 0.28, _EVIDENT),
    ("Evident", "UPLXAPO100XO", 100, 1.45, "oil", 0.13, _EVIDENT),
    ("Evident", "UPLAPO60XOHR", 60, 1.50, "oil", 0.11, _EVIDENT),
    ("Evident", "UPLAPO100XOHR", 100, 1.50, "oil", 0.12, _EVIDENT),
    ("Evident", "UPLSAPO30XS", 30, 1.05, "silicone", 0.8, _EVIDENT),
    ("Evident", "UPLSAPO40XS", 40, 1.25, "silicone", 0.3, _EVIDENT),
    ("Evident", "UPLSAPO60XS2", 60, 1.30, "silicone", 0.3, _EVIDENT),
    ("Evident", "UPLSAPO100XS", 100, 1.35, "silicone", 0.2, _EVIDENT),
    ("Evident", "UPLFLN4X", 4, 0.13, "air", 17.0, _EVIDENT),
    ("Evident", "UPLFLN10X2", 10, 0.30, "air", 10.0, _EVIDENT),
    ("Evident", "UPLFLN20X", 20, 0.50, "air", 2.1, _EVIDENT),
    ("Evident", "UPLFLN40X", 40, 0.75, "air", 0.51, _EVIDENT),
    ("Evident", "UPLFLN40XO", 40, 1.30, "oil", 0.2, _EVIDENT),
    ("Evident", "UPLFLN60X", 60, 0.90, "air", 0.2, _EVIDENT),
    ("Evident", "UPLFLN100XO2", 100, 1.30, "oil", 0.2, _EVIDENT),
    ("Evident", "LUCPLFLN20X", 20, 0.45, "air", 6.6, _EVIDENT),
    ("Evident", "LUCPLFLN40X", 40, 0.60, "air", 2.7, _EVIDENT),
    ("Evident", "LUCPLFLN60X", 60, 0.70, "air", 1.5, _EVIDENT),
    ("Evident", "LUMFLN60XW", 60, 1.10, "water", 1.5, _EVIDENT),
    ("Evident", "APON60XOTIRF", 60, 1.49, "oil", 0.1, _EVIDENT),
    ("Nikon", "CFI Plan Fluor 10X", 10, 0.30, "air", 16.0, _NIKON),
    ("Nikon", "CFI Plan Fluor 40X", 40, 0.75, "air", 0.66, _NIKON),
    ("Nikon", "CFI Plan Apo Lambda 10X", 10, 0.45, "air", 4.0, _NIKON),
    ("Nikon", "CFI Plan Apo Lambda 20X", 20, 0.75, "air", 1.0, _NIKON),
    ("Nikon", "CFI Plan Apo Lambda 60X Oil", 60, 1.40, "oil", 0.13, _NIKON),
    ("Nikon", "CFI Plan Apo Lambda 100X Oil", 100, 1.45, "oil", 0.13, _NIKON),
    ("Nikon", "CFI Plan Apo VC 60X WI", 60, 1.20, "water", 0.31, _NIKON),
    ("Nikon", "CFI Apo TIRF 100X Oil", 100, 1.49, "oil", 0.12, _NIKON),
    ("Zeiss", "Plan-Apochromat 20x/0.8", 20, 0.80, "air", 0.55, _ZEISS),
    ("Zeiss", "Plan-Apochromat 40x/1.3 Oil", 40, 1.30, "oil", 0.21, _ZEISS),
    ("Zeiss", "Plan-Apochromat 63x/1.4 Oil", 63, 1.40, "oil", 0.19, _ZEISS),
    ("Zeiss", "Plan-Apochromat 100x/1.4 Oil", 100, 1.40, "oil", 0.17, _ZEISS),
    ("Zeiss", "C-Apochromat 63x/1.2 W", 63, 1.20, "water", 0.28, _ZEISS),
    ("Leica", "HC PL APO 63x/1.40 OIL CS2", 63, 1.40, "oil", 0.14, _LEICA),
    ("Mitutoyo", "M Plan Apo 10X", 10, 0.28, "air", 34.0, _MITUTOYO),
    ("Mitutoyo", "M Plan Apo 20X", 20, 0.42, "air", 20.0, _MITUTOYO),
    ("Mitutoyo", "M Plan Apo 50X", 50, 0.55, "air", 13.0, _MITUTOYO),
)


def _objective(
    maker: str,
    name: str,
    magnification: float,
    aperture: float,
    liquid: str,
    mm: float,
    source: str,
) -> Instrument:
    index, follows = _IMMERSIONS[liquid]
    return Instrument(
        name=f"{maker} {name}",
        kind="objective",
        fields={
            "microscope.numerical_aperture": aperture,
            "microscope.immersion_index": index,
            "microscope.immersion_dispersion": follows,
        },
        facts={
            "magnification": float(magnification),
            "working_distance_mm": mm,
            "tube_lens_mm": TUBE_LENS_MM[maker],
        },
        source=source,
        note=liquid,
    )


OBJECTIVES: dict[str, Instrument] = {item.name: item for item in (_objective(*r) for r in _ROWS)}
"""Objectives by name."""
