"""Cameras: pixel, full well, read noise, gain, bits, quantum efficiency, rows and columns."""

from osog.scene.instruments.item import Instrument

_HPK = "Hamamatsu Photonics, technical note"
_THORLABS = "Thorlabs, scientific cameras, specification sheet"
_ANDOR = "Andor (Oxford Instruments), specification sheet"
_TELEDYNE = "Teledyne Photometrics, data sheet"
_PCO = "PCO (Excelitas), data sheet"

_ROWS = (
    # name, pixel µm, rows, columns, full well, read noise, bits, e/count, offset, QE, colour
    ("Hamamatsu ORCA-Flash4.0 V3", 6.5, 2048, 2048, 30000, 1.0, 16, 0.46, 100, 0.82, "", _HPK),
    ("Hamamatsu ORCA-Fusion BT", 6.5, 2304, 2304, 15000, 0.7, 16, 0.24, 100, 0.95, "", _HPK),
    ("Hamamatsu ORCA-Quest", 4.6, 2304, 4096, 7000, 0.27, 16, 0.11, 200, 0.85, "", _HPK),
    ("Photometrics Prime 95B", 11.0, 1200, 1200, 80000, 1.6, 16, None, 100, 0.95, "", _TELEDYNE),
    ("Photometrics Prime BSI", 6.5, 2048, 2048, 45000, 1.6, 16, None, 100, 0.95, "", _TELEDYNE),
    ("Andor Zyla 4.2 PLUS", 6.5, 2048, 2048, 30000, 0.9, 16, None, 100, 0.82, "", _ANDOR),
    ("Andor Sona 4.2B-11", 11.0, 2048, 2048, 85000, 1.6, 16, None, 100, 0.95, "", _ANDOR),
    ("pco.edge 4.2", 6.5, 2048, 2048, 30000, 0.9, 16, 0.46, 100, 0.82, "", _PCO),
    ("Thorlabs CS135MU", 4.8, 1024, 1280, 10000, 7.0, 10, None, 0, 0.59, "", _THORLABS),
    ("Thorlabs CS135CU", 4.8, 1024, 1280, 10000, 7.0, 10, None, 0, 0.59, "bayer", _THORLABS),
    ("Thorlabs CS235MU", 5.86, 1200, 1920, 30000, 7.0, 12, None, 0, 0.78, "", _THORLABS),
    ("Thorlabs CS235CU", 5.86, 1200, 1920, 30000, 7.0, 12, None, 0, 0.78, "bayer", _THORLABS),
    ("Thorlabs CS505MU", 3.45, 2048, 2448, 10650, 2.5, 12, None, 0, 0.72, "", _THORLABS),
    ("Thorlabs CS505CU", 3.45, 2048, 2448, 10650, 2.5, 12, None, 0, 0.72, "bayer", _THORLABS),
    ("Thorlabs CS895MU", 3.45, 2160, 4096, 10650, 2.5, 12, None, 0, 0.72, "", _THORLABS),
    ("Thorlabs CS895CU", 3.45, 2160, 4096, 10650, 2.5, 12, None, 0, 0.72, "bayer", _THORLABS),
    ("Thorlabs CS126MU", 3.45, 3000, 4096, 10650, 2.5, 12, None, 0, 0.72, "", _THORLABS),
    ("Thorlabs CS126CU", 3.45, 3000, 4096, 10650, 2.5, 12, None, 0, 0.72, "bayer", _THORLABS),
)  # fmt: skip


def _camera(
    name: str, pixel: float, rows: int, columns: int, well: float, read: float, bits: int,
    gain: float | None, offset: float, efficiency: float, colour: str, source: str,
) -> Instrument:  # fmt: skip
    note = "Bayer" if colour else "monochrome"
    if gain is None:  # the sheet states none: a full well is white
        gain = round(well / (2**bits - 1 - offset), 4)
        note += "; gain from full well and bits"
    return Instrument(
        name=name,
        kind="camera",
        fields={
            "camera.full_well_electrons": float(well),
            "camera.read_noise_electrons": read,
            "camera.gain_electrons_per_count": gain,
            "camera.offset_counts": float(offset),
            "camera.bit_depth": bits,
            "camera.quantum_efficiency": efficiency,
            "camera.colour": colour or "monochrome",
            "camera.background_electrons": round(0.5 * well),
        },
        facts={"pixel_um": pixel, "rows": float(rows), "columns": float(columns)},
        source=source,
        note=f"{note}; exposed to half of the full well",
    )


CAMERAS: dict[str, Instrument] = {item.name: item for item in (_camera(*r) for r in _ROWS)}
"""Cameras by name."""
