"""Formulas of a shape, read from its torch code as expressions of single numbers.

`Symbolic` stands in for a tensor: it holds an array of expressions and answers to torch's functions
and methods with new ones. Running ``Shape.path`` on it once yields the arithmetic of one line of
sight, from which a loop without any tensor is written (`source`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
LOGIC = {"and": "and", "or": "or", "not": "not"}


@dataclass(frozen=True, eq=False)
class Node:
    """One operation on numbers.

    Attributes
    ----------
    operation : str
        "input", "constant", or what is done with the arguments.
    arguments : tuple of Node
    value : float or bool
        Of a constant.
    name : str
        Of an input.
    number : int
        Place in the order in which nodes were made: arguments come first.
    """

    operation: str
    arguments: tuple[Node, ...]
    value: float = 0.0
    name: str = ""
    number: int = 0

    @property
    def logical(self) -> bool:
        """Whether it is true or false rather than a number."""
        return self.operation in COMPARISONS or self.operation in LOGIC


@dataclass
class Formulas:
    """All nodes of one reading; equal ones are made once."""

    nodes: dict[Any, Node] = field(default_factory=dict)

    def make(self, operation: str, *arguments: Node) -> Node:
        """Return the node of an operation, simplified where an argument is a plain 0 or 1."""
        simple = self._simpler(operation, arguments)
        if simple is not None:
            return simple
        if operation in {"add", "mul", "max", "min"}:
            arguments = tuple(sorted(arguments, key=lambda n: n.number))
        return self._kept((operation, *(a.number for a in arguments)), operation, arguments)

    def constant(self, value: float) -> Node:
        """Return the node of a fixed number."""
        return self._kept(("constant", float(value)), "constant", (), value=float(value))

    def input(self, name: str) -> Node:
        """Return the node of a number that is given later."""
        return self._kept(("input", name), "input", (), name=name)

    def _kept(
        self,
        key: Any,
        operation: str,
        arguments: tuple[Node, ...],
        value: float = 0.0,
        name: str = "",
    ) -> Node:
        if key not in self.nodes:
            self.nodes[key] = Node(operation, arguments, value, name, len(self.nodes))
        return self.nodes[key]

    def _simpler(self, operation: str, arguments: tuple[Node, ...]) -> Node | None:
        if arguments and all(a.operation == "constant" for a in arguments):
            return self.constant(_folded(operation, [a.value for a in arguments]))
        values = [a.value if a.operation == "constant" else None for a in arguments]
        if operation == "mul":
            for value, other in zip(values, reversed(arguments), strict=True):
                if value == 0.0:
                    return self.constant(0.0)
                if value == 1.0:
                    return other
        if operation == "add":
            for value, other in zip(values, reversed(arguments), strict=True):
                if value == 0.0:
                    return other
        if operation in {"sub", "div"} and values[1] == (0.0 if operation == "sub" else 1.0):
            return arguments[0]
        if operation == "sub" and values[0] == 0.0:
            return self.make("neg", arguments[1])
        if operation == "where" and values[0] is not None:
            return arguments[1 if values[0] else 2]
        if operation == "where" and arguments[1] is arguments[2]:
            return arguments[1]
        if operation in {"and", "or"}:
            for value, other in zip(values, reversed(arguments), strict=True):
                if value is not None:
                    decided = bool(value) == (operation == "or")
                    return self.constant(float(operation == "or")) if decided else other
        if operation in {"max", "min"} and arguments[0] is arguments[1]:
            return arguments[0]
        return None


def _folded(operation: str, v: Sequence[float]) -> float:
    """Value of an operation on fixed numbers."""
    found: dict[str, Callable[[], Any]] = {
        "add": lambda: v[0] + v[1],
        "sub": lambda: v[0] - v[1],
        "mul": lambda: v[0] * v[1],
        "div": lambda: v[0] / v[1],
        "neg": lambda: -v[0],
        "abs": lambda: abs(v[0]),
        "sqrt": lambda: v[0] ** 0.5,
        "max": lambda: max(v),
        "min": lambda: min(v),
        "at_least": lambda: max(v),
        "at_most": lambda: min(v),
        "sign": lambda: float(np.sign(v[0])),
        "copysign": lambda: float(np.copysign(v[0], v[1])),
        "stop": lambda: v[0],
        "where": lambda: v[1] if v[0] else v[2],
        "and": lambda: bool(v[0]) and bool(v[1]),
        "or": lambda: bool(v[0]) or bool(v[1]),
        "not": lambda: not v[0],
        "lt": lambda: v[0] < v[1],
        "le": lambda: v[0] <= v[1],
        "gt": lambda: v[0] > v[1],
        "ge": lambda: v[0] >= v[1],
        "eq": lambda: v[0] == v[1],
        "ne": lambda: v[0] != v[1],
    }
    return float(found[operation]())


class Symbolic:
    """An array of expressions in place of a tensor.

    Parameters
    ----------
    formulas : Formulas
    nodes : ndarray of Node
    dtype : torch.dtype
        What `dtype` says, for code that chooses constants by it.
    """

    device = torch.device("cpu")
    requires_grad = False

    def __init__(self, formulas: Formulas, nodes: np.ndarray, dtype: torch.dtype) -> None:
        self.formulas, self.nodes, self.dtype = formulas, nodes, dtype

    @classmethod
    def inputs(
        cls, formulas: Formulas, name: str, shape: tuple[int, ...], dtype: torch.dtype
    ) -> Symbolic:
        """Return inputs ``name0``, ``name1`` … in row-major order."""
        count = int(np.prod(shape, dtype=int))
        flat = np.empty(count, dtype=object)
        for k in range(count):
            flat[k] = formulas.input(f"{name}{k}")
        return cls(formulas, flat.reshape(shape), dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.nodes.shape

    def __len__(self) -> int:
        """Length of the first axis."""
        return len(self.nodes)

    def __getitem__(self, key: Any) -> Symbolic:
        """Part of the array."""
        return self._new(self.nodes[key])

    def __iter__(self) -> Iterable[Symbolic]:
        """Go along the first axis."""
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        """Shape."""
        return f"Symbolic{self.shape}"

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Answer a function of torch."""
        name = func.__name__.strip("_")
        return _call(_model(args), name, args, kwargs or {})

    def __getattr__(self, name: str) -> Any:
        """Answer a method of a tensor."""
        known = name.rstrip("_")
        if known not in _FUNCTIONS or name.startswith("__"):
            raise AttributeError(f"{name} is not known to formulas that are read from shapes.")

        def method(*args: Any, **kwargs: Any) -> Symbolic:
            result = _call(self, known, (self, *args), kwargs)
            if name.endswith("_") and isinstance(result, Symbolic):
                self.nodes = result.nodes
                return self
            return result  # type: ignore[no-any-return]

        return method

    def _new(self, nodes: Any) -> Symbolic:
        if not isinstance(nodes, np.ndarray):
            found = np.empty((), dtype=object)
            found[()] = nodes
            nodes = found
        return Symbolic(self.formulas, nodes, self.dtype)

    def lifted(self, value: Any) -> np.ndarray:
        """Return anything as an array of nodes."""
        if isinstance(value, Symbolic):
            return value.nodes
        if isinstance(value, torch.Tensor):
            value = value.detach().numpy()
        plain = np.asarray(value)
        found = np.empty(plain.shape, dtype=object)
        for where, number in np.ndenumerate(plain):
            found[where] = self.formulas.constant(float(number))
        return found

    def each(self, operation: str, *values: Any) -> Symbolic:
        """Apply an operation to every number, with broadcasting."""
        arrays: list[Any] = list(np.broadcast_arrays(*(self.lifted(v) for v in values)))
        found = np.empty(arrays[0].shape, dtype=object)
        for where in np.ndindex(found.shape):
            found[where] = self.formulas.make(operation, *(a[where] for a in arrays))
        return self._new(found)

    def _add(self, other: Any) -> Symbolic:
        return self.each("add", self, other)

    def _mul(self, other: Any) -> Symbolic:
        return self.each("mul", self, other)

    __add__ = __radd__ = __iadd__ = _add
    __mul__ = __rmul__ = __imul__ = _mul

    def __sub__(self, other: Any) -> Symbolic:
        """Difference."""
        return self.each("sub", self, other)

    __isub__ = __sub__

    def __rsub__(self, other: Any) -> Symbolic:
        """Difference."""
        return self.each("sub", other, self)

    def __truediv__(self, other: Any) -> Symbolic:
        """Quotient."""
        return self.each("div", self, other)

    def __rtruediv__(self, other: Any) -> Symbolic:
        """Quotient."""
        return self.each("div", other, self)

    def __neg__(self) -> Symbolic:
        """Negative."""
        return self.each("neg", self)

    def __abs__(self) -> Symbolic:
        """Size."""
        return self.each("abs", self)

    def __pow__(self, exponent: float) -> Symbolic:
        """Whole and half powers."""
        whole, half = divmod(float(exponent), 1.0)
        if whole < 0 or half not in {0.0, 0.5}:
            raise ValueError(f"A power of {exponent} is not known to formulas of shapes.")
        result = self.each("sqrt", self) if half else None
        for _ in range(int(whole)):
            result = self if result is None else result * self
        return self._new(self.lifted(np.ones(self.shape))) if result is None else result

    def __matmul__(self, other: Symbolic) -> Symbolic:
        """Product of matrices."""
        return (self.unsqueeze(-1) * other.unsqueeze(-3)).sum(-2)  # type: ignore[no-any-return]

    def __lt__(self, other: Any) -> Symbolic:
        """Compare."""
        return self.each("lt", self, other)

    def __le__(self, other: Any) -> Symbolic:
        """Compare."""
        return self.each("le", self, other)

    def __gt__(self, other: Any) -> Symbolic:
        """Compare."""
        return self.each("gt", self, other)

    def __ge__(self, other: Any) -> Symbolic:
        """Compare."""
        return self.each("ge", self, other)

    def __invert__(self) -> Symbolic:
        """Not."""
        return self.each("not", self)

    def __and__(self, other: Any) -> Symbolic:
        """And."""
        return self.each("and", self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Symbolic:
        """Or."""
        return self.each("or", self, other)

    __ror__ = __or__


def _model(args: Sequence[Any]) -> Symbolic:
    for value in args:
        if isinstance(value, Symbolic):
            return value
        if isinstance(value, (tuple, list)) and any(isinstance(v, Symbolic) for v in value):
            return _model(value)
    raise TypeError("There is no expression among the arguments.")


def _call(like: Symbolic, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if name not in _FUNCTIONS:
        raise NotImplementedError(f"torch's {name} is not known to formulas of shapes.")
    return _FUNCTIONS[name](like, *args, **kwargs)


def _reduced(operation: str) -> Callable[..., Symbolic]:
    def reduce(s: Symbolic, a: Symbolic, dim: Any = None, keepdim: bool = False) -> Symbolic:
        dims = range(a.nodes.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
        nodes = a.nodes
        for axis in sorted((d % a.nodes.ndim for d in dims), reverse=True):
            parts = [s._new(np.take(nodes, k, axis)) for k in range(nodes.shape[axis])]
            total = parts[0]
            for part in parts[1:]:
                total = s.each(operation, total, part)
            nodes = np.expand_dims(total.nodes, axis) if keepdim else total.nodes
        return s._new(nodes)

    return reduce


def _clamp(s: Symbolic, a: Any, min: Any = None, max: Any = None) -> Symbolic:
    if min is not None:
        a = s.each("at_least", a, min)
    return a if max is None else s.each("at_most", a, max)


def _addcmul(s: Symbolic, a: Any, b: Any, c: Any, value: float = 1.0) -> Symbolic:
    product = s.each("mul", b, c)
    return s.each("add", a, product if value == 1 else product * value)


def _joined(s: Symbolic, parts: Any, dim: int = 0) -> Symbolic:
    return s._new(np.concatenate([s.lifted(p) for p in parts], axis=dim))


def _stacked(s: Symbolic, parts: Any, dim: int = 0) -> Symbolic:
    return s._new(np.stack([s.lifted(p) for p in parts], axis=dim))


def _unbound(s: Symbolic, a: Symbolic, dim: int = 0) -> tuple[Symbolic, ...]:
    return tuple(s._new(np.take(a.nodes, k, dim)) for k in range(a.shape[dim]))


def _filled(s: Symbolic, shape: Any, value: Any) -> Symbolic:
    return s._new(np.broadcast_to(s.lifted(value), shape))


def _tensor(s: Symbolic, a: Any, values: Any) -> Symbolic:
    return s._new(s.lifted(np.asarray(values)))


def _one(name: str) -> Callable[..., Symbolic]:
    return lambda s, a: s.each(name, a)


def _two(name: str) -> Callable[..., Symbolic]:
    def operate(s: Symbolic, a: Any, b: Any, *, alpha: float = 1.0) -> Symbolic:
        return s.each(name, a, b if alpha == 1 else s.each("mul", b, alpha))

    return operate


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _two(name) for name in ("add", "sub", "mul", "div", "copysign", *COMPARISONS)},
    **{name: _two(name) for name in ("and", "or")},
    **{name: _one(name) for name in ("neg", "abs", "sqrt", "sign", "not")},
    "truediv": _two("div"),
    "bitwise_and": _two("and"),
    "bitwise_or": _two("or"),
    "rsub": lambda s, a, b: s.each("sub", b, a),
    "maximum": _two("max"),
    "minimum": _two("min"),
    "clamp": _clamp,
    "clamp_min": lambda s, a, min: _clamp(s, a, min=min),
    "clamp_max": lambda s, a, max: _clamp(s, a, max=max),
    "reciprocal": lambda s, a: s.each("div", 1.0, a),
    "rsqrt": lambda s, a: s.each("div", 1.0, s.each("sqrt", a)),
    "square": lambda s, a: s.each("mul", a, a),
    "where": lambda s, c, a, b: s.each("where", c, a, b),
    "lerp": lambda s, a, b, t: a + s.each("mul", t, s.each("sub", b, a)),
    "addcmul": _addcmul,
    "detach": lambda s, a: s.each("stop", a),
    "norm": lambda s, a, dim, keepdim=False: (a * a).sum(dim, keepdim=keepdim).sqrt(),
    "sum": _reduced("add"),
    "amax": _reduced("max"),
    "amin": _reduced("min"),
    "prod": _reduced("mul"),
    "cat": _joined,
    "stack": _stacked,
    "unbind": _unbound,
    "transpose": lambda s, a, i, j: s._new(np.swapaxes(a.nodes, i, j)),
    "unsqueeze": lambda s, a, dim: s._new(np.expand_dims(a.nodes, dim)),
    "squeeze": lambda s, a, dim: s._new(np.squeeze(a.nodes, dim)),
    "roll": lambda s, a, shifts, dims: s._new(np.roll(a.nodes, shifts, dims)),
    "expand": lambda s, a, *n: s._new(
        np.broadcast_to(a.nodes, [k if m == -1 else m for m, k in zip(n, a.shape, strict=True)])
    ),
    "expand_as": lambda s, a, b: s._new(np.broadcast_to(a.nodes, b.shape)),
    "zeros_like": lambda s, a: _filled(s, a.shape, 0.0),
    "ones_like": lambda s, a: _filled(s, a.shape, 1.0),
    "full_like": lambda s, a, value: _filled(s, a.shape, value),
    "new_full": lambda s, a, shape, value: _filled(s, shape, value),
    "new_tensor": _tensor,
    "new_ones": lambda s, a, *shape: _filled(s, shape, 1.0),
    "new_zeros": lambda s, a, *shape: _filled(s, shape, 0.0),
}

__all__ = ["COMPARISONS", "LOGIC", "Formulas", "Node", "Symbolic"]
