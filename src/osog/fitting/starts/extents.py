"""How large a particle is, for templates: from the size columns of any shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.scene import Distribution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.scene import Particle, Population

# Size columns, and the share of each that is a half extent.
_HALVES = {"radius_um": 1.0, "length_um": 0.5, "semi_axes_um": 1.0, "size_um": 0.5}


def sizes_of(shape: Any) -> dict[str, Any]:
    """Size columns of a shape and what it gives for them: numbers or distributions."""
    return {field: getattr(shape, field) for field in shape.size_fields()}


def is_ball(shape: Any) -> bool:
    """Whether a body looks the same from all sides."""
    return bool(shape.isotropic)


def number(quantity: Any) -> float:
    """Value of a number, centre of a distribution."""
    return quantity.centre if isinstance(quantity, Distribution) else float(quantity)


def half_extents(population: Population) -> list[float]:
    """Half extents in µm of the shape and of its explicit particles; 1 where it has no size.

    Distributions count with the end of their support.
    """
    out = []
    for field, share in _HALVES.items():
        if hasattr(population.shape, field):
            for owner in (population.shape, *(population.particles or ())):
                for item in _items(getattr(owner, field)):
                    top = item.support[1] if isinstance(item, Distribution) else item
                    out.append(share * float(top))
    return out or [1.0]


def longest_half_extent(shape: Any, particle: Particle) -> float:
    """Longest half extent in µm of one particle; 1 where the shape has no size.

    A particle's own sizes come first; distributions count with their centre.
    """
    for field in ("length_um", "semi_axes_um", "size_um", "radius_um"):
        if hasattr(shape, field):
            own = getattr(particle, field)
            value = own if own is not None else getattr(shape, field)
            return _HALVES[field] * max(number(item) for item in _items(value))
    return 1.0


def _items(value: Any) -> Iterator[Any]:
    if value is not None:
        yield from value if isinstance(value, tuple) else (value,)
