"""What the panels know of shapes: their names, which numbers one particle has for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osog.scene.shapes import Shape

TITLES = {
    "sphere": "Sphere",
    "coated_sphere": "Coated sphere",
    "ellipsoid": "Ellipsoid",
    "rod": "Rod (round ends)",
    "cylinder": "Cylinder",
    "box": "Box, needle, plate",
    "polyhedron": "Polyhedron (crystal)",
}
_ROUND = ("sphere", "coated_sphere")


def isotropic(shape: Shape) -> bool:
    """Whether a turn of the body changes nothing."""
    return shape.kind == "sphere"


def exact(shape: Shape) -> bool:
    """Whether its scattering can be computed exactly, by Lorenz–Mie theory."""
    return exact_kind(shape.kind)


def exact_kind(kind: str) -> bool:
    """Whether that holds for shapes of this name."""
    return kind in _ROUND


def cut_by_hand(shape: Shape) -> bool:
    """Whether it is a polyhedron of half spaces, which have no size of their own."""
    return getattr(shape, "half_spaces", None) is not None


def own_sizes(shape: Shape) -> list[str]:
    """Names of the sizes that one particle can have for itself."""
    names = [n for n in ("radius_um", "core_radius_um", "length_um") if hasattr(shape, n)]
    if not cut_by_hand(shape):
        for field in ("semi_axes_um", "size_um"):
            if hasattr(shape, field):
                names += [f"{field}[{k}]" for k in range(3)]
    return names


__all__ = ["TITLES", "cut_by_hand", "exact", "exact_kind", "isotropic", "own_sizes"]
