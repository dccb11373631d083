"""Derivatives beyond the first, and those that `torch.func` and forward mode ask for.

Hand-written adjoints give first derivatives fast and in little memory. Where more is asked for,
the same function is run as plain operations, which every kind of differentiation can follow.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack
from torch.autograd import forward_ad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

_OLDER_BATCH = torch._C._dispatch_key_parse("Batched")


def followed(*values: Any) -> bool:
    """Whether a derivative is taken with respect to any of them, in whatever way.

    Parameters
    ----------
    *values
        Tensors; anything else is not followed.
    """
    return any(
        isinstance(value, Tensor) and (value.requires_grad or _transformed(value))
        for value in values
    )


def needs_plain_operations(*values: Any) -> bool:
    """Whether `torch.func` is at work, or forward mode on any of them: no adjoint serves those."""
    return func_is_active() or any(isinstance(v, Tensor) and _transformed(v) for v in values)


def func_is_active() -> bool:
    """Whether a transform of `torch.func` runs, which no public function of torch tells."""
    return bool(torch._C._are_functorch_transforms_active())


def plain_numbers(tensor: Tensor) -> Tensor:
    """Return the numbers alone, without any history, for what has no derivative."""
    tensor = forward_ad.unpack_dual(tensor).primal.detach()
    # Last, as `torch.func` wraps what any operation returns.
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    return tensor


def array(tensor: Tensor) -> NDArray[Any]:
    """Return the numbers as a NumPy array, also within a transform of `torch.func`."""
    plain = plain_numbers(tensor)
    with outside_func():
        return plain.cpu().numpy()


@contextmanager
def outside_func() -> Iterator[None]:
    """Run what is kept for later calls outside of any transform of `torch.func`.

    Whatever torch makes within one is wrapped, and must not outlive it.
    """
    if not func_is_active():
        yield
        return
    with temporarily_clear_interpreter_stack():
        yield


def _transformed(tensor: Tensor) -> bool:
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor) or _in_older_batch(tensor):
        return True
    return forward_ad.unpack_dual(tensor).tangent is not None


def _in_older_batch(tensor: Tensor) -> bool:
    """Whether it is batched in the way of ``torch.autograd.functional`` with ``vectorize``."""
    return bool(torch._C._dispatch_keys(tensor).has(_OLDER_BATCH))


def gradient_with_graph(
    function: Callable[..., Any],
    inputs: Sequence[Tensor | None],
    needed: Sequence[bool],
    grad_outputs: Sequence[Tensor | None],
) -> tuple[Tensor | None, ...]:
    """Gradient that can itself be differentiated, for the backward pass of an adjoint.

    Parameters
    ----------
    function : callable
        What the forward pass computes, as plain operations: one Tensor or a tuple.
    inputs : sequence of Tensor or None
        Its arguments, with their history.
    needed : sequence of bool
        Which of them need a gradient.
    grad_outputs : sequence of Tensor or None
        Gradient of the loss in each output.

    Returns
    -------
    tuple of Tensor or None
        One for each input.
    """
    with torch.enable_grad():
        # Aliases: an argument that was made from another must not hand its gradient on to it here.
        own = [
            value.view_as(value) if value is not None and need else value
            for value, need in zip(inputs, needed, strict=True)
        ]
        found = function(*own)
        outputs = found if isinstance(found, tuple) else (found,)
        wanted = [
            (i, value)
            for i, (value, need) in enumerate(zip(own, needed, strict=True))
            if need and value is not None
        ]
        pairs = [
            (output, gradient)
            for output, gradient in zip(outputs, grad_outputs, strict=True)
            if gradient is not None and output.requires_grad
        ]
        gradients: list[Tensor | None] = [None] * len(inputs)
        if pairs and wanted:
            parts = torch.autograd.grad(
                [output for output, _ in pairs],
                [value for _, value in wanted],
                [gradient for _, gradient in pairs],
                create_graph=True,
                allow_unused=True,
            )
            for (i, _), part in zip(wanted, parts, strict=True):
                gradients[i] = part
    return tuple(gradients)


__all__ = [
    "array",
    "followed",
    "func_is_active",
    "gradient_with_graph",
    "needs_plain_operations",
    "outside_func",
    "plain_numbers",
]
