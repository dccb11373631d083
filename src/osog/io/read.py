"""Micrographs in: one grey plane of a file of any kind, and what its file knows of the optics."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from osog.io.errors import MicrographError
from osog.io.formats import open_image
from osog.io.micrograph import Micrograph
from osog.io.select import one_plane

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from osog.io.image_file import ImageFile


def read_micrograph(
    path: str | os.PathLike[str], *, channel: int | str | None = None, page: int = 0
) -> Micrograph:
    """Read one grey image and what its file knows of the optics.

    Parameters
    ----------
    path : path
        TIFF and its dialects, PNG, JPEG, BMP, NPY; CZI, LIF, ND2, OIF and OIB with their packages.
    channel : int, str or "mean", optional
        Which channel of a multi-channel file (from 0, or its name), which colour of a colour
        image (0, 1, 2: red, green, blue), or the mean of all of them.
    page : int
        Which plane of a stack, from 0: of all planes in the file's own order, and with `channel`
        of those of this channel.

    Returns
    -------
    Micrograph
        Its wavelength is that of the channel the plane belongs to.

    Raises
    ------
    MicrographError
        For a file that is missing, damaged, of another kind, or in colour without `channel`.
    """
    target = Path(path)
    if not target.is_file():
        raise MicrographError(f"{target.name}: there is no such file in {target.parent}.")
    with image_file(target) as file:
        image, optics = one_plane(file, target.name, channel, page)
    return Micrograph(image=image, name=target.name, **optics.known(), doubts=optics.doubts)


@contextmanager
def image_file(path: Path) -> Iterator[ImageFile]:
    """Open a file; whatever goes wrong while it is open becomes one sentence.

    Raises
    ------
    MicrographError
    """
    if path.stat().st_size == 0:
        raise MicrographError(f"{path.name} is empty: it has 0 bytes.")
    try:
        with open_image(path) as file:
            yield file.checked(path.name)
    except MicrographError:
        raise
    except MemoryError:
        raise MicrographError(
            f"{path.name} needs more memory than there is; cut out a part of it first."
        ) from None
    except PermissionError:
        raise MicrographError(f"{path.name} must not be read; ask for the permission.") from None
    except Exception as error:
        # Decoders raise whatever they like on damaged bytes.
        lines = str(error).splitlines()
        reason = (lines[0] if lines else type(error).__name__)[:120]
        if "imagecodecs" in reason:
            raise MicrographError(
                f"{path.name}: reading it needs the package imagecodecs ({reason}); run: "
                "pip install imagecodecs"
            ) from None
        raise MicrographError(
            f"{path.name} cannot be read as an image; the file may be damaged or cut short "
            f"({reason})."
        ) from None


__all__ = ["image_file", "read_micrograph"]
