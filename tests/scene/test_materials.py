"""The table of materials against the formulas and tables of its sources."""

from __future__ import annotations

import math

import pytest
import torch

from osog import materials
from osog.scene import Scene, SceneError
from osog.scene.materials.biological import index_of_molecules
from osog.scene.materials.registry import SERIES

DOUBLE = torch.float64
LINES = (0.4861327, 0.5875618, 0.6562725)


def published(kind: int, coefficients: str, wavelength: float) -> float:
    """Index by a formula as the database refractiveindex.info numbers and writes them."""
    c = [float(word) for word in coefficients.split()]
    w = wavelength
    pairs = list(zip(c[1::2], c[2::2], strict=False))
    if kind == 1:
        return math.sqrt(1 + c[0] + sum(b * w**2 / (w**2 - p**2) for b, p in pairs))
    if kind == 2:
        return math.sqrt(1 + c[0] + sum(b * w**2 / (w**2 - p) for b, p in pairs))
    if kind == 3:
        return math.sqrt(c[0] + sum(b * w**p for b, p in pairs))
    if kind == 4:
        total = c[0]
        for b, power, pole, order in (c[1:5], c[5:9]):
            total += b * w**power / (w**2 - pole**order) if b else 0.0
        return math.sqrt(total)
    if kind == 5:
        return c[0] + sum(b * w**p for b, p in pairs)
    if kind == 6:
        return 1 + c[0] + sum(b / (p - w**-2) for b, p in pairs)
    assert kind == 9
    return math.sqrt(c[0] + c[1] / (w**2 - c[2]) + c[3] * (w - c[4]) / ((w - c[4]) ** 2 + c[5]))


ORDINARY = {
    "air": (6, "0 0.05792105 238.0185 0.00167917 57.362"),
    "pbs": (3, "1.7828 -0.0015 -2 0.0009 -4 -0.0179 2"),
    "culture medium": (3, "1.7826 -0.0008 -2 0.0009 -4 -0.0171 2"),
    "ethanol": (5, "1.34959 4.0147128e-3 -2 -5.9411155e-5 -4 3.04975e-6 -6"),
    "dmso": (2, "0 0.04419 0.04639067309 1.09101 0.01221543949"),
    "glycerol": (5, "1.45797 0.00598 -2 -0.00036 -4"),
    "glass": (2, "0 1.03961212 0.00600069867 0.231792344 0.0200179144 1.01046945 103.560653"),
    "silica": (1, "0 0.6961663 0.0684043 0.4079426 0.1162414 0.8974794 9.896161"),
    "polystyrene": (2, "0 1.4435 0.020216"),
    "pmma": (2, "0 1.1819 0.011313"),
    "polycarbonate": (2, "0 1.4182 0.021304"),
    "pdms": (2, "0 1.0093 0.013185"),
    "cellulose": (2, "0 1.124 0.011087"),
    "lipid": (2, "0 1.1236 1.05566963e-2 0.2725 1.8867e1"),
    "calcite": (2, "0.73358749 0.96464345 1.94325203e-2 1.82831454 120"),
    "quartz": (2, "0.28604141 1.07044083 1.00585997e-2 1.10202242 100"),
    "sodium chloride": (
        1,
        "0.00055 0.19800 0.050 0.48398 0.100 0.38696 0.128 0.25998 0.158 0.08796 40.50 3.17064 "
        "60.98 0.30038 120.34",
    ),
    "potassium chloride": (1, "0.26486 0.30523 0.100 0.41620 0.131 0.18870 0.162 2.6200 70.42"),
    "fluorite": (1, "0 0.5675888 0.050263605 0.4710914 0.1003909 3.8484723 34.649040"),
    "sapphire": (1, "0 1.4313493 0.0726631 0.65054713 0.1193242 5.3414021 18.028251"),
    "titania": (4, "5.913 0.2441 0 0.0803 1 0 0 0 1"),
    "diamond": (1, "0 0.3306 0.1750 4.3356 0.1060"),
    "kdp": (4, "2.259276 13.00522 2 400 1 0.01008956 0 0.0129426 1"),
    "urea": (4, "2.1823 0.0125 0 0.0300 1 0 0 0 1"),
}
EXTRAORDINARY = {
    "calcite": (2, "0.35859695 0.82427830 1.06689543e-2 0.14429128 120"),
    "quartz": (2, "0.28851804 1.09509924 1.02101864e-2 1.15662475 100"),
    "sapphire": (1, "0 1.5039759 0.0740288 0.55069141 0.1216529 6.5927379 20.072248"),
    "titania": (4, "7.197 0.3322 0 0.0843 1 0 0 0 1"),
    "kdp": (4, "2.132668 3.2279924 2 400 1 0.008637494 0 0.0122810 1"),
    "urea": (9, "2.51527 0.0240 0.0300 0.020 1.52 0.8771"),
}


def wavelengths_of(name: str) -> list[float]:
    low, high = materials.find(name).range_um
    return [low, *(line for line in LINES if low <= line <= high), min(high, 2.0)]


@pytest.mark.parametrize("name", ORDINARY)
def test_indices_are_those_of_the_published_formula(name: str) -> None:
    for wavelength in wavelengths_of(name):
        expected = published(*ORDINARY[name], wavelength)
        assert materials.index(name, wavelength) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", EXTRAORDINARY)
def test_retardance_is_that_of_both_published_formulas(name: str) -> None:
    for wavelength in wavelengths_of(name):
        split = published(*EXTRAORDINARY[name], wavelength)
        split -= published(*ORDINARY[name], wavelength)
        assert materials.birefringence(name, wavelength) == pytest.approx(split, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "wavelength", "value", "tolerance"),
    [
        # Values printed in the sources' tables and data sheets.
        ("silica", 0.4861, 1.46313, 1e-5),
        ("silica", 0.5876, 1.45846, 1e-5),
        ("silica", 0.6563, 1.45637, 1e-5),
        ("glass", 0.4861, 1.52238, 1e-5),
        ("glass", 0.5876, 1.51680, 1e-5),
        ("glass", 0.6563, 1.51432, 1e-5),
        ("fluorite", 0.5876, 1.43385, 2e-5),
        ("quartz", 0.5893, 1.54424, 5e-5),
        ("calcite", 0.5893, 1.65835, 1e-4),
        ("potassium chloride", 0.589, 1.4903, 1e-4),
        ("diamond", 0.5893, 2.4173, 2e-4),
        ("immersion oil", 0.546074, 1.5180, 1e-9),
        ("cover glass", 0.546074, 1.5255, 1e-9),
        ("ice", 0.45, 1.3157, 1e-9),
        ("ice", 0.55, 1.3110, 1e-9),
        ("ice", 0.65, 1.3080, 1e-9),
        # IAPWS R9-97, table of verification values at 0.1 MPa.
        ("water 0 °C", 0.589, 1.334344, 5e-6),
        ("water 0 °C", 0.2265, 1.394527, 5e-6),
        ("water 0 °C", 1.01398, 1.326135, 5e-6),
    ],
)
def test_printed_values(name: str, wavelength: float, value: float, tolerance: float) -> None:
    assert materials.index(name, wavelength) == pytest.approx(value, abs=tolerance)


def test_water_agrees_with_another_measurement() -> None:
    """Daimon & Masumura (2007), distilled water at 20.0 °C."""
    sellmeier = (
        "0 5.684027565E-1 5.101829712E-3 1.726177391E-1 1.821153936E-2 2.086189578E-2 "
        "2.620722293E-2 1.130748688E-1 1.069792721E1"
    )
    for wavelength in (0.3, 0.4, 0.55, 0.7, 1.0):
        expected = published(2, sellmeier, wavelength)
        assert materials.index("water", wavelength) == pytest.approx(expected, abs=5e-5)


def test_blood_pigment_absorbs_as_the_published_spectrum() -> None:
    """µ_a = 2.303 ε c / 64,500 g/mol with the tabulated ε (Prahl 1998)."""
    for wavelength, extinction in ((0.414, 524280), (0.54, 53236), (0.576, 55540), (0.65, 368)):
        expected = 2.303 * extinction * 150 / 64500 * 1e-4
        found = materials.absorption_per_um("Hemoglobin 150 g/l", wavelength)
        assert found == pytest.approx(expected, rel=5e-4)
    assert materials.absorption_per_um("deoxyhaemoglobin 150 g/l", 0.432) == pytest.approx(
        2.303 * 552160 * 150 / 64500 * 1e-4, rel=5e-4
    )


def test_proteins_follow_their_increment() -> None:
    for wavelength in (0.4, 0.578, 0.7):
        step = materials.index("protein 100 g/l", wavelength) - materials.index("water", wavelength)
        assert step == pytest.approx(0.0190 * (0.940 + 0.0200 / wavelength**2), abs=1e-9)
    assert materials.index("cytoplasm", 0.5893) == pytest.approx(1.37, abs=1e-9)


def test_mixtures_end_in_what_they_are_made_of() -> None:
    assert materials.index("glycerol 0 %", 0.65) == pytest.approx(
        materials.index("water", 0.65), abs=1e-4
    )
    # Hoyt (1934) and ICUMSA (1974) at 20 °C, sodium light, against air.
    for name, index in (("glycerol 60 %", 1.41299), ("sucrose 40 %", 1.39986)):
        assert materials.index(name, 0.5893) == pytest.approx(1.00027 * index, abs=1e-5)


@pytest.mark.parametrize("name", [*materials.names(), "water 37 °C", "glycerol 45 %"])
def test_every_row_is_complete_and_smooth(name: str) -> None:
    """A source, a range, and true derivatives in the wavelength, inside the range and beyond."""
    row = materials.find(name)
    low, high = row.range_um
    assert row.source and 0.1 < low <= high
    for wavelength in (0.987 * low + 0.013 * high, 0.53131, 0.63131):
        at = torch.tensor(wavelength, dtype=DOUBLE, requires_grad=True)
        for quantity in (row.index, row.birefringence, row.absorption_per_um):
            value = quantity(at)
            assert float(value.detach()) == pytest.approx(
                float(quantity(wavelength)), rel=1e-12, abs=1e-15
            )
            (slope,) = torch.autograd.grad(value, at, allow_unused=True)
            step = 1e-6
            difference = (quantity(wavelength + step) - quantity(wavelength - step)) / (2 * step)
            assert float(slope) == pytest.approx(float(difference), rel=1e-3, abs=1e-6)
    assert 0.02 <= row.index(0.2) <= 4.0 or row.metallic


def test_names_are_found_in_any_spelling() -> None:
    assert materials.find("  NaCl ").name == "sodium chloride"
    assert materials.find("Rutile") is materials.find("titania")
    assert materials.find("Water 25 C") == materials.find("water 25 °C")
    assert set(SERIES) == {
        "water", "glycerol", "sucrose", "haemoglobin", "deoxyhaemoglobin", "protein",
    }  # fmt: skip
    for wrong, words in (
        ("unobtainium", "'unobtainium' is not known; known names are air, water"),
        ("glycerol 120 %", "'glycerol 120 %' must lie between 0 and 100 %"),
        ("water 20 %", "is not known"),
    ):
        with pytest.raises(ValueError, match=words):
            materials.find(wrong)


def scene_of(material: object, medium: object = "water", wavelength: float = 0.55) -> Scene:
    return Scene.parse(
        {
            "medium": medium,
            "populations": [{"name": "a", "material": material, "count": 1}],
            "microscope": {"wavelength_um": wavelength},
        }
    )


@pytest.mark.parametrize("wavelength", [0.45, 0.5893, 0.65])
def test_a_scene_takes_the_numbers_of_its_light(wavelength: float) -> None:
    scene = scene_of("calcite", wavelength=wavelength)
    material = scene.populations[0].material
    ordinary = published(*ORDINARY["calcite"], wavelength)
    split = published(*EXTRAORDINARY["calcite"], wavelength) - ordinary
    assert material.index == pytest.approx(ordinary, abs=1e-6)
    assert material.birefringence == pytest.approx(split, abs=1e-6)
    assert scene.medium.index == pytest.approx(materials.index("water", wavelength), abs=1e-6)
    assert Scene.parse(scene.to_dict()) == scene


def test_what_is_stated_stays() -> None:
    own = scene_of({"name": "quartz", "index": 1.6}).populations[0].material
    assert (own.index, own.name, own.dispersion) == (1.6, "quartz", "quartz")
    other = scene_of({"index": 1.45, "dispersion": "Silica"}).populations[0].material
    assert (other.index, other.name) == (1.45, None)
    with pytest.raises(SceneError, match=r"material\.abbe_number = 40 and material\.dispersion"):
        scene_of({"name": "silica", "dispersion": "silica", "abbe_number": 40})
    with pytest.raises(SceneError, match=r"medium\.name = 'wter' is not known"):
        scene_of("silica", medium="wter")
    with pytest.raises(SceneError, match=r"material\.dispersion = 'glas' is not known"):
        scene_of({"dispersion": "glas"})


def test_edits_keep_substance_and_light_together() -> None:
    scene = scene_of("polystyrene")
    red = scene.updated({"microscope.wavelength_um": 0.65})
    assert red.populations[0].material.index == pytest.approx(
        materials.index("polystyrene", 0.65), abs=1e-6
    )
    assert red.medium.index == pytest.approx(materials.index("water", 0.65), abs=1e-6)
    porous = scene.updated({"populations.a.material.index": 1.5}).populations[0].material
    assert (porous.name, porous.dispersion) == (None, "polystyrene")
    crystal = scene.updated({"populations.a.material.name": "quartz"}).populations[0].material
    assert crystal.birefringence == pytest.approx(0.009157, abs=1e-4)
    glass = scene.updated({"medium.abbe_number": 40.0}).medium
    assert (glass.dispersion, glass.abbe_number) == (None, 40)
    back = scene.updated({"populations.a.material.name": "silica"}).populations[0].material
    assert (back.birefringence, back.dispersion) == (0.0, "silica")


def test_light_outside_the_source_is_said_with_its_range() -> None:
    import osog

    def said(material: object, medium: object, wavelength: float) -> str:
        scene = scene_of(material, medium, wavelength).updated({"grid.shape": [24, 24]})
        return " ".join(caution.text for caution in osog.render(scene).warnings)

    assert "is known from" not in said("polystyrene", "water", 0.55)
    text = said("polystyrene", "water", 0.405)
    assert "index of polystyrene is known from 0.437 to 1.05 µm" in text and "0.405 µm" in text
    assert "index of pbs is known from 0.5 to 1.1 µm" in said("silica", "pbs", 0.45)
    assert "index of starch is known at 0.589 µm alone" in said("starch", "water", 0.55)


def test_an_index_from_atoms_is_near_that_of_measured_crystals() -> None:
    sucrose = {"carbon": 12, "hydrogen": 22, "hydroxyl": 8, "ether": 3}
    glycine = {"carbon": 2, "hydrogen": 5, "amine": 1, "hydroxyl": 1, "carbonyl": 1}
    urea = {"carbon": 1, "hydrogen": 4, "amine": 2, "carbonyl": 1}
    for atoms, density, mass, principal in (
        (sucrose, 1.588, 342.30, (1.5376, 1.5651, 1.5705)),
        (glycine, 1.607, 75.07, (1.4955, 1.615, 1.650)),
        (urea, 1.335, 60.06, (1.484, 1.484, 1.602)),
    ):
        worked_out = index_of_molecules(atoms, density, mass)
        assert worked_out == pytest.approx(sum(principal) / 3, abs=0.035)
    assert materials.index("threonine", 0.5893) == pytest.approx(1.580, abs=1e-3)
    assert materials.find("threonine").error == 0.03
