"""Optics from OME-XML, attribute by attribute: one that is wrong costs no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from osog.io.metadata.numbers import micrometres, number, pixel_size, possible
from osog.io.micrograph import Known, Optics

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCE = "from OME-XML"
_MEDIA = {
    "air": 1.0, "water": 1.333, "waterdipping": 1.333, "glycerol": 1.473, "glycerin": 1.473,
    "oil": 1.518,
}  # fmt: skip
_SECONDS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
_MOST_CHANNELS = 10_000


@dataclass(frozen=True)
class OmeImage:
    """What OME-XML says of one image.

    Attributes
    ----------
    optics : tuple of Optics
        One for each channel; at least one.
    channels : tuple of str
        Their names; empty where one has none.
    """

    optics: tuple[Optics, ...] = (Optics(),)
    channels: tuple[str, ...] = ("",)

    def otherwise(self, other: OmeImage | None) -> OmeImage:
        """Return this, and what another source says of the same channels where this is silent."""
        if other is None:
            return self
        mine, more = self.optics, other.optics
        if len(mine) == 1:  # for all channels, however many they are
            mine = mine * len(more)
        if len(more) == 1:
            more = more * len(mine)
        if len(mine) != len(more):
            more = (Optics.common(more),) * len(mine)
        optics = tuple(a.otherwise(b) for a, b in zip(mine, more, strict=True))
        named = any(self.channels) or len(other.channels) != len(optics)
        return OmeImage(optics, self.channels if named else other.channels)


def looks_like_ome(text: Any) -> bool:
    """Whether a text holds OME-XML that can be read; one with a DTD is not read at all."""
    if not isinstance(text, str):
        return False
    start = text.find("<OME")
    return 0 <= start and (text[start + 4 : start + 5] or " ") in " >\t\r\n" and not has_dtd(text)


def has_dtd(text: str) -> bool:
    """Whether XML defines things of its own, which can grow without end or name other files."""
    return "<!DOCTYPE" in text or "<!ENTITY" in text


def of_ome_xml(text: str, image: int | None = None, count: int | None = None) -> OmeImage:
    """Read OME-XML text.

    Parameters
    ----------
    text : str
        What stands before a fault in it is read.
    image : int, optional
        Which of its images; when left out, what all of them agree on.
    count : int, optional
        How many of them there are in the file. Where the text describes others, nothing says
        which of them `image` is.
    """
    if has_dtd(text):
        return OmeImage()
    root = _root(text[max(text.find("<OME"), 0) :])
    if root is None:
        return OmeImage()
    images = [_of_image(root, element) for element in _all(root, "Image")]
    if not images:
        return OmeImage()
    if image is not None and image < len(images) and count in (None, len(images)):
        return images[image]
    return _agreed(images)


def of_ome(ome: Any) -> OmeImage:
    """Read an ``ome_types.OME`` object; see `of_ome_xml`."""
    return of_ome_xml(ome.to_xml())


def _agreed(images: list[OmeImage]) -> OmeImage:
    """Channel by channel, what several images have in common."""
    if len({len(image.optics) for image in images}) > 1:
        return OmeImage((Optics.common([o for image in images for o in image.optics]),))
    each = zip(*(image.optics for image in images), strict=True)
    names = {image.channels for image in images}
    channels = names.pop() if len(names) == 1 else ("",) * len(images[0].optics)
    return OmeImage(tuple(Optics.common(optics) for optics in each), channels)


def _root(text: str) -> Element | None:
    """Tree of a text as far as it is sound."""
    # Control characters are what programs leave in names, and no XML allows them.
    clean = "".join(c if c >= " " or c in "\t\r\n" else " " for c in text)
    parser: XMLPullParser[Any] = XMLPullParser(events=("start",))
    root: Element | None = None
    try:
        parser.feed(clean)
        parser.close()
    except (ParseError, ValueError):
        pass
    try:
        for _, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
            root = element if root is None else root
    except (ParseError, ValueError):
        pass
    return root


def _local(element: Element) -> str:
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def _all(parent: Element, name: str) -> Iterator[Element]:
    """All elements of a name below one, in whatever version of the schema."""
    return (e for e in parent.iter() if _local(e) == name)


def _child(parent: Element, name: str) -> Element | None:
    return next((e for e in parent if _local(e) == name), None)


def _of_image(root: Element, image: Element) -> OmeImage:
    pixels = _child(image, "Pixels")
    shared = _of_objective(root, image)
    if pixels is None:
        return OmeImage((shared,))
    shared = shared.otherwise(
        pixel_size(
            _length(pixels, "PhysicalSizeX", "µm"),
            _length(pixels, "PhysicalSizeY", "µm"),
            _SOURCE,
        )
    )
    optics: list[Optics] = []
    names: list[str] = []
    exposures = _exposures(pixels)
    for channel in (e for e in pixels if _local(e) == "Channel"):
        wave = _wavelength(channel)
        exposure = exposures.get(len(optics))
        optics.append(shared.otherwise(Optics(wavelength_um=wave, exposure_s=exposure)))
        names.append(channel.get("Name") or "")
    # Channels that the file holds and does not describe must not borrow from those it does.
    samples = sum(int(n) for c in pixels if _local(c) == "Channel" and (n := _samples(c)) >= 1)
    stated = number(pixels.get("SizeC")) or 1
    missing = int(min(stated, _MOST_CHANNELS)) - samples
    if optics and missing > 0:
        optics += [shared] * missing
        names += [""] * missing
    return OmeImage(tuple(optics) or (shared,), tuple(names) or ("",))


def _exposures(pixels: Element) -> dict[int, Known]:
    """Exposure of each channel all of whose planes agree on one; the schema's unit is seconds."""
    stated: dict[int, set[Known | None]] = {}
    for plane in (e for e in pixels if _local(e) == "Plane"):
        channel, value = number(plane.get("TheC")), number(plane.get("ExposureTime"))
        factor = _SECONDS.get(plane.get("ExposureTimeUnit", "s"))
        if channel is not None:
            time = None if value is None or factor is None else value * factor
            known = possible("exposure_s", time, _SOURCE)
            stated.setdefault(int(channel), set()).add(known)
    agreed = {c: next(iter(found)) for c, found in stated.items() if len(found) == 1}
    return {channel: known for channel, known in agreed.items() if known is not None}


def _samples(channel: Element) -> int:
    count = number(channel.get("SamplesPerPixel"))
    return int(count) if count is not None and 1 <= count <= _MOST_CHANNELS else 1


def _length(element: Element, name: str, default: str) -> float | None:
    """Length of an attribute in µm; `default` is the schema's own unit."""
    value = number(element.get(name))
    factor = micrometres(element.get(f"{name}Unit", default))
    return value * factor if value is not None and factor is not None else None


def _wavelength(channel: Element) -> Known | None:
    for name, words in (
        ("EmissionWavelength", "emission wavelength"),
        ("ExcitationWavelength", "excitation wavelength"),
    ):
        source = f"{_SOURCE}, {words}"
        found = possible("wavelength_um", _length(channel, name, "nm"), source)
        if found is not None:
            return found
    return None


def _of_objective(root: Element, image: Element) -> Optics:
    settings = _child(image, "ObjectiveSettings")
    if settings is None:
        settings = _child(image, "ObjectiveRef")
    objective = _objective(root, settings)
    found: dict[str, Any] = {}
    if objective is not None:
        found["numerical_aperture"] = possible(
            "numerical_aperture", number(objective.get("LensNA")), _SOURCE
        )
        found["magnification"] = possible(
            "magnification", number(objective.get("CalibratedMagnification")), _SOURCE
        ) or possible("magnification", number(objective.get("NominalMagnification")), _SOURCE)
    index = None
    if settings is not None:  # OME: the index of the immersion medium that was used
        index = possible("immersion_index", number(settings.get("RefractiveIndex")), _SOURCE)
    if index is None and objective is not None:
        liquid = (objective.get("Immersion") or "").strip().lower()
        if liquid in _MEDIA:
            index = Known(_MEDIA[liquid], f"{_SOURCE}, immersion {liquid}")
    return immersed(Optics(**found, immersion_index=index))


def immersed(optics: Optics) -> Optics:
    """Leave out an index of the immersion that the numerical aperture does not fit into."""
    aperture, index = optics.numerical_aperture, optics.immersion_index
    if aperture is None or index is None or aperture.value < index.value:
        return optics
    return optics.without(
        "immersion_index",
        f"The file states an immersion of index {index.value:.4g} ({index.source}), into which an "
        f"NA of {aperture.value:.4g} does not fit.",
    )


def _objective(root: Element, settings: Element | None) -> Element | None:
    """Objective of an image: the one it names, or the only one."""
    objectives = list(_all(root, "Objective"))
    if settings is not None and settings.get("ID"):
        for objective in objectives:
            if objective.get("ID") == settings.get("ID"):
                return objective
    return objectives[0] if len(objectives) == 1 else None


__all__ = ["OmeImage", "has_dtd", "immersed", "looks_like_ome", "of_ome", "of_ome_xml"]
