"""Image files of rendered frames, written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cli.errors import CommandError
from osog.io import write_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from osog.render import Frame
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
        For an unknown suffix, a folder, or a parent folder that does not exist.
    """
    suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
    if suffix is None:
        raise CommandError(
            f"'{path.name}' must end with .tif, .ome.tif, .png or .npy, which says what is written."
        )
    if path.is_dir():
        raise CommandError(f"'{path}' is a folder; give the name of a file.")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"The folder '{path.parent}' does not exist.")
    return suffix


def picture(frame: Frame) -> NDArray[Any]:
    """Image of a frame: whole counts behind a camera, else float32.

    Returns
    -------
    ndarray, shape (Y, X)
        uint8 up to 8 bits, uint16 above; float32 without a camera and in quantitative phase.
    """
    image = frame.image.cpu().numpy()
    camera = frame.scene.camera
    if camera is None or frame.scene.microscope.modality.kind == "phase":
        return image.astype(np.float32)
    wide = np.uint8 if camera.bit_depth <= 8 else np.uint16
    counts: NDArray[Any] = np.clip(np.rint(image), 0, camera.white_counts).astype(wide)
    return counts


def save_picture(image: NDArray[Any], path: Path, scene: Scene, seed: int) -> dict[str, Any]:
    """Write an image by the suffix of its name.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    path : Path
    scene : Scene
        Gives pixel size and optics for the file's own metadata.
    seed : int

    Returns
    -------
    dict
        ``dtype`` of the file and ``contrast``: the values of black and white where a PNG had to
        be stretched, else None.
    """
    suffix = checked_target(path)
    contrast = None
    with whole(path) as temporary:
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
    write_image(mask_path, frame.instances, pixel_size_um=frame.scene.grid.pixel_size_um)
    with whole(boxes_path) as temporary:
        temporary.write_text(_box_table(frame), encoding="utf-8")
    return {"instances": str(mask_path), "boxes": str(boxes_path)}


def label_paths(path: Path) -> tuple[Path, Path]:
    """Names of the instance mask and of the table of boxes that belong to an image."""
    suffix = checked_target(path)
    stem = path.name[: -len(suffix)]
    return path.with_name(f"{stem}.instances.tif"), path.with_name(f"{stem}.boxes.csv")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Hand out a temporary path that takes the place of `path` once the block succeeds."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
    rows, columns = image.shape
    fluorescence = optics.modality.kind == "fluorescence"
    light = "emission_wavelength" if fluorescence else "excitation_wavelength"
    wave = {light: optics.wavelength_um * 1000, f"{light}_unit": "nm"}
    pixels = model.Pixels(
        dimension_order="XYZCT",
        type="float" if image.dtype == np.float32 else str(image.dtype),
        size_x=columns, size_y=rows, size_z=1, size_c=1, size_t=1,
        physical_size_x=pixel, physical_size_x_unit="µm",
        physical_size_y=pixel, physical_size_y_unit="µm",
        channels=[model.Channel(id="Channel:0", samples_per_pixel=1, **wave)],
        tiff_data_blocks=[model.TiffData(plane_count=1)],
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
            file, image, photometric="minisblack", description=document.to_xml().encode(),
            metadata=None, resolution=per_cm, resolutionunit="CENTIMETER",
        )  # fmt: skip


def _words(scene: Scene, seed: int) -> str:
    return f"# Rendered by OSOG with seed {seed} from this scene\n{scene.to_yaml()}"


def _box_table(frame: Frame) -> str:
    assert frame.boxes is not None
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(
        ("instance", "population", "centre_x_px", "centre_y_px", "width_px", "height_px",
         "angle_rad", "x_um", "y_um", "z_um")
    )  # fmt: skip
    batch = frame.particles
    names = [population.name for population in frame.scene.populations]
    for k, (box, population, position) in enumerate(
        zip(frame.boxes.tolist(), batch.population.tolist(), batch.position.tolist(), strict=True)
    ):
        numbers = [f"{number:.6g}" for number in (*box, *position)]
        rows.writerow((k + 1, names[population], *numbers))
    return out.getvalue()
