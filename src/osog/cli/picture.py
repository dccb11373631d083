"""Image files of rendered frames, written whole or not at all."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cli.errors import CommandError
from osog.io import atomic, write_image
from osog.rendering.pipeline import has_counts, in_colour

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.rendering import Frame
    from osog.scene import Scene

SUFFIXES = (".ome.tif", ".ome.tiff", ".tif", ".tiff", ".png", ".npy")


def checked_target(path: Path) -> str:
    """Find the format of a file name, and refuse what could not be written later.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        One of `SUFFIXES`.

    Raises
    ------
    CommandError
        For an unknown suffix, or a folder.
    """
    suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
    if suffix is None:
        if path.is_dir():
            raise CommandError(f"'{path}' is a folder; name a file in it: {path / 'image.tif'}.")
        raise CommandError(
            f"'{path.name}' must end with .tif, .ome.tif, .png or .npy, which says what is written."
        )
    if path.is_dir():
        raise CommandError(f"'{path}' is a folder; give the name of a file.")
    return suffix


def checked_content(path: Path, scene: Scene) -> None:
    """Refuse a format that cannot hold what the scene renders to.

    Raises
    ------
    CommandError
        For a PNG of several pictures, or of colours with more than 8 bits.
    """
    if checked_target(path) != ".png":
        return
    letters, camera = axes(scene), scene.camera
    if letters[0] in "TZ":
        raise CommandError(
            f"'{path.name}' can hold one picture only, but the scene gives a "
            f"{'time series' if letters[0] == 'T' else 'stack'}; write a .tif or .npy."
        )
    if letters == "YXC" and camera is not None and camera.bit_depth > 8:
        raise CommandError(
            f"'{path.name}' can hold colours of 8 bits, but camera.bit_depth = {camera.bit_depth}; "
            "write a .tif or .npy."
        )


def axes(scene: Scene) -> str:
    """Axes of the image that a scene renders to: ``YX`` with ``T``, ``Z`` before, ``C`` behind."""
    return (
        ("T" if scene.series.frames > 1 else "")
        + ("Z" if isinstance(scene.microscope.focus_um, tuple) else "")
        + ("YXC" if in_colour(scene) else "YX")
    )


def size_in_words(image: NDArray[Any], scene: Scene) -> str:
    """Say how large an image is, such as ``10 frames of 256 × 256 pixels, RGB``."""
    size = dict(zip(axes(scene), image.shape, strict=True))
    words = f"{size['Y']} × {size['X']} pixels of {scene.grid.pixel_size_um:g} µm"
    if "Z" in size:
        words = f"{size['Z']} {'planes' if size['Z'] > 1 else 'plane'} of {words}"
    if "T" in size:
        words = f"{size['T']} frames of {words}"
    return f"{words}, RGB" if "C" in size else words


def picture(frame: Frame) -> NDArray[Any]:
    """Image of a frame: whole counts behind a camera, else float32.

    Returns
    -------
    ndarray, shape ([T,] [Z,] Y, X [, 3])
        uint8 up to 8 bits, uint16 above; float32 without a camera and in quantitative phase.
    """
    image = frame.image.cpu().numpy()
    camera = frame.scene.camera
    if camera is None or not has_counts(frame.scene):
        return image.astype(np.float32)
    wide = np.uint8 if camera.bit_depth <= 8 else np.uint16
    counts: NDArray[Any] = np.clip(np.rint(image), 0, camera.white_counts).astype(wide)
    return counts


def save_picture(image: NDArray[Any], path: Path, scene: Scene, seed: int) -> dict[str, Any]:
    """Write an image by the suffix of its name.

    Parameters
    ----------
    image : ndarray, shape ([T,] [Z,] Y, X [, 3])
    path : Path
    scene : Scene
        Gives axes, pixel size and optics for the file's own metadata.
    seed : int

    Returns
    -------
    dict
        ``dtype`` of the file and ``contrast``: the values of black and white where a PNG had to
        be stretched, else None.
    """
    checked_content(path, scene)
    suffix = checked_target(path)
    contrast = None
    with atomic.writing(path) as temporary:
        if suffix == ".npy":
            with temporary.open("wb") as file:
                np.save(file, image)
        elif suffix == ".png":
            image, contrast = _save_png(image, temporary)
        else:
            _save_ome(image, temporary, path.name, scene, seed)
    return {"dtype": str(image.dtype), "contrast": contrast}


def save_labels(frame: Frame, path: Path) -> dict[str, str]:
    """Write the instance mask and the oriented boxes beside an image.

    Parameters
    ----------
    frame : Frame
        With ``instances`` and ``boxes``.
    path : Path
        Of the image, whose stem the two files share.

    Returns
    -------
    dict
        ``instances`` and ``boxes``: the two paths.
    """
    assert frame.instances is not None
    assert frame.boxes is not None
    mask_path, boxes_path = label_paths(path)
    # uint16, or float32 above 65535 particles: viewers know no wider integers.
    write_image(
        mask_path,
        frame.instances,
        pixel_size_um=frame.scene.grid.pixel_size_um,
        axes="TYX" if frame.instances.ndim == 3 else "YX",
    )
    atomic.write_text(boxes_path, _box_table(frame))
    return {"instances": str(mask_path), "boxes": str(boxes_path)}


def label_paths(path: Path) -> tuple[Path, Path]:
    """Names of the instance mask and of the table of boxes that belong to an image."""
    suffix = checked_target(path)
    stem = path.name[: -len(suffix)]
    return path.with_name(f"{stem}.instances.tif"), path.with_name(f"{stem}.boxes.csv")


def _save_png(image: NDArray[Any], path: Path) -> tuple[NDArray[Any], list[float] | None]:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    contrast, notes = None, PngInfo()
    if image.dtype == np.float32:
        low, high = float(image.min()), float(image.max())
        contrast = [low, high]
        image = np.rint((image - low) * (65535 / ((high - low) or 1.0))).astype(np.uint16)
        notes.add_text("Contrast", f"0 is {low:.8g}, 65535 is {high:.8g}")
    with path.open("wb") as file:
        Image.fromarray(image).save(file, format="PNG", pnginfo=notes)
    return image, contrast


def _save_ome(image: NDArray[Any], path: Path, name: str, scene: Scene, seed: int) -> None:
    import tifffile
    from ome_types import model

    optics, pixel = scene.microscope, scene.grid.pixel_size_um
    letters = axes(scene)
    size = dict(zip(letters, image.shape, strict=True))
    colour, frames, planes = "C" in size, size.get("T", 1), size.get("Z", 1)
    light = "emission_wavelength" if optics.emits else "excitation_wavelength"
    wave = {light: optics.wavelength_um * 1000, f"{light}_unit": "nm"}
    spacing: dict[str, Any] = {}
    if planes > 1:
        steps = np.diff(optics.focus_planes_um)
        if np.ptp(steps) < 1e-6 * np.abs(steps).max() and steps[0] != 0:
            spacing = {"physical_size_z": abs(float(steps[0])), "physical_size_z_unit": "µm"}
    if frames > 1:
        spacing |= {"time_increment": scene.series.interval_s, "time_increment_unit": "s"}
    pixels = model.Pixels(
        dimension_order="XYCZT" if colour else "XYZCT",
        type="float" if image.dtype == np.float32 else str(image.dtype),
        size_x=size["X"], size_y=size["Y"], size_z=planes, size_c=3 if colour else 1,
        size_t=frames,
        physical_size_x=pixel, physical_size_x_unit="µm",
        physical_size_y=pixel, physical_size_y_unit="µm",
        channels=[
            model.Channel(
                id="Channel:0",
                samples_per_pixel=3 if colour else 1,
                **({} if colour else wave),
            )
        ],
        tiff_data_blocks=[model.TiffData(plane_count=frames * planes)],
        **spacing,
    )  # fmt: skip
    objective = model.Objective(id="Objective:0", lens_na=optics.numerical_aperture)
    document = model.OME(
        creator="OSOG",
        instruments=[model.Instrument(id="Instrument:0", objectives=[objective])],
        images=[
            model.Image(
                id="Image:0",
                name=name,
                description=_words(scene, seed),
                pixels=pixels,
                objective_settings=model.ObjectiveSettings(
                    id="Objective:0", refractive_index=optics.immersion_index
                ),
            )
        ],
    )
    per_cm = (1e4 / pixel, 1e4 / pixel)  # for readers that know no OME-XML
    with path.open("wb") as file:
        tifffile.imwrite(
            file, image, photometric="rgb" if colour else "minisblack",
            description=document.to_xml().encode(), metadata=None,
            resolution=per_cm, resolutionunit="CENTIMETER",
        )  # fmt: skip


def _words(scene: Scene, seed: int) -> str:
    return f"# Rendered by OSOG with seed {seed} from this scene\n{scene.to_yaml()}"


def _box_table(frame: Frame) -> str:
    assert frame.boxes is not None
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    series = frame.boxes.ndim == 3
    rows.writerow(
        (*(("frame",) if series else ()), "instance", "population", "centre_x_px", "centre_y_px",
         "width_px", "height_px", "angle_rad", "x_um", "y_um", "z_um")
    )  # fmt: skip
    numbers = frame.particles.population.tolist()
    populations = frame.scene.populations
    every = frame.boxes if series else frame.boxes[None]
    for t, (boxes, places) in enumerate(zip(every.tolist(), frame.positions.tolist(), strict=True)):
        for k, (box, number, place) in enumerate(zip(boxes, numbers, places, strict=True)):
            if not populations[number].labelled:
                continue
            cells = [f"{value:.6g}" for value in (*box, *place)]
            when = (t,) if series else ()
            rows.writerow((*when, k + 1, populations[number].name, *cells))
    return out.getvalue()
