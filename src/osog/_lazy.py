"""Names of `osog` that are imported when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PACKAGE = "osog"


def finder(homes: Mapping[str, tuple[str, ...]], package: str = PACKAGE) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package.

    Parameters
    ----------
    homes : mapping of str to tuple of str
        Modules, and the public names that each has; the package itself has its subpackages.
    package : str
        Its dotted name.

    Returns
    -------
    callable
        Imports a name from its home and keeps it. A subpackage that is not listed is found, too, so
        that ``osog.optics`` works whether or not something has imported it already.
    """
    home = {name: module for module, names in homes.items() for name in names}

    def found(name: str) -> Any:
        module = home.get(name)
        if module is not None and module != package:
            value = getattr(import_module(module), name)
            setattr(sys.modules[package], name, value)
            return value
        if name.startswith("_"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return import_module(f"{package}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{package}.{name}":
                raise
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None

    return found
