"""Optics of an image from whatever carries them: OME metadata, TIFF tags, EXIF, layer scale."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osog.io.micrograph import Known, Optics

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

_OME_KEYS = ("ome_metadata", "ome_types", "raw_image_metadata")
_TIFF = (".tif", ".tiff", ".btf", ".tf8", ".lsm")
_MICROMETRES: dict[str, float] = {
    "m": 1e6, "meter": 1e6, "metre": 1e6,
    "dm": 1e5, "cm": 1e4, "centimeter": 1e4, "centimetre": 1e4,
    "mm": 1e3, "millimeter": 1e3, "millimetre": 1e3,
    "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0,
    "micrometer": 1.0, "micrometre": 1.0,
    "nm": 1e-3, "nanometer": 1e-3, "nanometre": 1e-3,
    "å": 1e-4, "angstrom": 1e-4, "ångström": 1e-4, "pm": 1e-6, "picometer": 1e-6,
    "in": 25400.0, "inch": 25400.0, "ft": 304800.0, "thou": 25.4,
}  # fmt: skip
_MEDIA = {"air": 1.0, "water": 1.333, "waterdipping": 1.333, "glycerol": 1.473, "oil": 1.518}


def micrometres(unit: Any) -> float | None:
    """Micrometres in a unit of length, None for what is no length.

    Parameters
    ----------
    unit : str, enum or pint unit
    """
    text = str(getattr(unit, "value", unit)).strip().lower()
    if text in _MICROMETRES:
        return _MICROMETRES[text]
    if text.endswith("s") and text[:-1] in _MICROMETRES:
        return _MICROMETRES[text[:-1]]
    return None


def optics_of(
    metadata: Mapping[str, Any] | None = None,
    path: str | os.PathLike[str] | None = None,
    scale: Sequence[float] | None = None,
    units: Any = None,
) -> Optics:
    """Find the optics of an image layer, each number with its source.

    Asks in this order: OME or OSOG metadata that the layer carries, the file it came from, and
    the layer's scale when its unit is a length. A scale in pixels is no calibration.

    Parameters
    ----------
    metadata : mapping, optional
        Metadata of a layer, as readers fill it.
    path : path, optional
        File of the layer.
    scale : sequence of float, optional
        World units per pixel, rows and columns last.
    units : str, pint unit, or a sequence of them, optional

    Returns
    -------
    Optics
    """
    out = _of_metadata(metadata or {})
    if path is not None:
        out = out.otherwise(of_file(path))
    return out.otherwise(_of_scale(scale, units))


def of_file(path: str | os.PathLike[str]) -> Optics:
    """Optics that a file states; empty for files that say nothing or cannot be read."""
    target = Path(path)
    if not target.is_file():
        return Optics()
    suffix = target.suffix.lower()
    try:
        if suffix in _TIFF:
            return of_tiff(target)
        if suffix == ".nd2":
            return _of_nd2(target)
        if suffix in (".jpg", ".jpeg", ".png"):
            return of_exif(target)
    except Exception:
        # Whatever a damaged or odd file raises: it then states nothing, and reading its pixels
        # gives the sentence about it.
        return Optics()
    return Optics()


def of_tiff(path: Path) -> Optics:
    """Optics of a TIFF: OME-XML, then ImageJ's resolution and unit, then the baseline tags."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        out = Optics()
        if file.is_ome and file.ome_metadata:
            out = of_ome_xml(file.ome_metadata)
        if not file.pages:
            return out
        tags = file.pages.first.tags
        per_unit = _resolution(tags)
        if file.is_imagej and per_unit is not None:
            unit = (file.imagej_metadata or {}).get("unit", "")
            factor = micrometres(unit)
            if factor is not None:
                known = Known(factor / per_unit, f"from ImageJ resolution in {_shown(unit)}")
                return out.otherwise(Optics(pixel_size_um=known))
            return out
        unit = tags.get("ResolutionUnit")
        factor = {2: 25400.0, 3: 1e4}.get(int(unit.value)) if unit is not None else None
        if per_unit is not None and factor is not None:
            size = factor / per_unit
            # 72 … 600 dots per inch is what software writes about printers, not microscopes.
            if size < 20.0:
                known = Known(size, "from TIFF resolution tags")
                out = out.otherwise(Optics(pixel_size_um=known))
        return out


def of_ome_xml(text: str) -> Optics:
    """Optics of OME-XML text."""
    from ome_types import from_xml

    return of_ome(from_xml(text))


def of_ome(ome: Any) -> Optics:
    """Optics of an ``ome_types.OME`` object; the first image and its objective count."""
    source = "from OME-XML"
    if not ome.images:
        return Optics()
    image = ome.images[0]
    pixels = image.pixels
    found: dict[str, Known] = {}
    size, unit = pixels.physical_size_x, pixels.physical_size_x_unit
    factor = micrometres(unit)
    if size is not None and factor is not None and size > 0:
        found["pixel_size_um"] = Known(float(size) * factor, source)
    if pixels.channels:
        channel = pixels.channels[0]
        for name in ("emission_wavelength", "excitation_wavelength"):
            wave = getattr(channel, name)
            factor = micrometres(getattr(channel, f"{name}_unit"))
            if wave and factor is not None:
                words = f"{source}, {name.replace('_', ' ')}"
                found["wavelength_um"] = Known(float(wave) * factor, words)
                break
    settings = image.objective_settings
    if settings is not None and settings.refractive_index:
        # OME: the index of the immersion medium that was used.
        found["immersion_index"] = Known(float(settings.refractive_index), source)
    objective = _objective(ome, settings)
    if objective is not None:
        if objective.lens_na:
            found["numerical_aperture"] = Known(float(objective.lens_na), source)
        magnification = objective.calibrated_magnification or objective.nominal_magnification
        if magnification:
            found["magnification"] = Known(float(magnification), source)
        liquid = str(getattr(objective.immersion, "value", objective.immersion)).lower()
        if "immersion_index" not in found and liquid in _MEDIA:
            found["immersion_index"] = Known(_MEDIA[liquid], f"{source}, immersion {liquid}")
    return Optics(**found)


def of_exif(path: Path) -> Optics:
    """Optics of a PNG or JPEG: text that Nikon cameras leave in the EXIF block, if any."""
    import re

    from PIL import Image

    with Image.open(path) as image:
        exif = image.getexif()
        texts = [str(v) for v in exif.values() if isinstance(v, str | bytes)]
        for value in exif.get_ifd(0x8769).values():
            if isinstance(value, bytes):
                texts.append(value.replace(b"\x00", b"").decode("latin-1", "replace"))
            elif isinstance(value, str):
                texts.append(value)
    text = "\n".join(texts)
    found: dict[str, Known] = {}
    aperture = re.search(r"(?:numerical aperture|\bN\.?A\.?)\s*[:=]?\s*(\d?\.\d+)", text, re.I)
    index = re.search(r"refractive index\s*[:=]?\s*(\d(?:\.\d+)?)", text, re.I)
    if aperture and 0.01 < float(aperture[1]) < 1.7:
        found["numerical_aperture"] = Known(float(aperture[1]), "from EXIF")
    if index and 1.0 <= float(index[1]) < 2.0:
        found["immersion_index"] = Known(float(index[1]), "from EXIF")
    return Optics(**found)


def _of_metadata(metadata: Mapping[str, Any]) -> Optics:
    out = Optics()
    own = metadata.get("osog")
    if isinstance(own, dict):
        out = out.otherwise(_of_own(own))
    for key in _OME_KEYS:
        value = metadata.get(key)
        if isinstance(value, str) and "<OME" in value:
            try:
                out = out.otherwise(of_ome_xml(value))
            except Exception:  # text that merely looks like OME-XML states nothing
                continue
        elif hasattr(value, "images") and hasattr(value, "instruments"):
            out = out.otherwise(of_ome(value))
    return out


def _of_own(own: Mapping[str, Any]) -> Optics:
    """Numbers of a scene that OSOG itself left with the image."""
    scene = own.get("scene", own)
    if hasattr(scene, "to_dict"):
        scene = scene.to_dict()
    if not isinstance(scene, dict):
        return Optics()
    source = "from the simulated scene"
    paths = {
        "pixel_size_um": ("grid", "pixel_size_um"),
        "numerical_aperture": ("microscope", "numerical_aperture"),
        "wavelength_um": ("microscope", "wavelength_um"),
        "immersion_index": ("microscope", "immersion_index"),
        "medium_index": ("medium", "index"),
    }
    found = {}
    for name, (block, field) in paths.items():
        value = scene.get(block, {}).get(field) if isinstance(scene.get(block), dict) else None
        if isinstance(value, int | float):
            found[name] = Known(float(value), source)
    return Optics(**found)


def _of_scale(scale: Sequence[float] | None, units: Any) -> Optics:
    if scale is None or len(scale) == 0 or units is None:
        return Optics()
    is_list = isinstance(units, list | tuple)
    if is_list and len(units) == 0:
        return Optics()
    unit = units[-1] if is_list else units
    factor, size = micrometres(unit), float(scale[-1])
    if factor is None or not math.isfinite(size) or size <= 0:
        return Optics()
    return Optics(pixel_size_um=Known(size * factor, f"from the layer's scale in {_shown(unit)}"))


def _of_nd2(path: Path) -> Optics:
    """Optics of a Nikon ND2 file, through the optional package nd2."""
    import nd2

    with nd2.ND2File(path) as file:
        return of_ome(file.ome_metadata())


def _objective(ome: Any, settings: Any) -> Any:
    objectives = [o for instrument in ome.instruments for o in instrument.objectives]
    if settings is not None:
        for objective in objectives:
            if objective.id == settings.id:
                return objective
    return objectives[0] if len(objectives) == 1 else None


def _resolution(tags: Any) -> float | None:
    tag = tags.get("XResolution")
    if tag is None:
        return None
    value = tag.value
    number = value[0] / value[1] if isinstance(value, tuple) and value[1] else value
    return float(number) if not isinstance(number, tuple) and number > 0 else None


def _shown(unit: Any) -> str:
    text = str(getattr(unit, "value", unit))
    return "µm" if micrometres(text) == 1.0 else text
