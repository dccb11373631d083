"""Logarithm, exponential and normal law that have the same bits on every machine.

Libraries of different processors disagree in the last digit of a logarithm. Addition,
multiplication, division and root are rounded the same way everywhere (IEEE 754), and NumPy does not
fuse them, so that what is made of these alone is the same too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
"""Logarithm of 2 in two parts; the first ends with zeros, so that whole multiples are exact."""
_LEAST = 1e-300

# Rational functions of Wichura, Algorithm AS241, Appl. Statist. 37 (1988) 477: highest power first.
_MIDDLE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_SIDE = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177,
     1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055,
     4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966,
     0.14810397642748007459, 0.68976733498510000455, 1.6763848301838038494,
     2.05319162663775882187, 1.0),
)  # fmt: skip
_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
     0.026532189526576123093, 0.29656057182850489123, 1.7848265399172913358,
     5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
     7.868691311456132591e-4, 0.0148753612908506148525, 0.13692988092273580531,
     0.59983220655588793769, 1.0),
)  # fmt: skip

# Hart et al., Computer Approximations (1968), as tabled by West, Wilmott Magazine (May 2005) 70.
_HART = (
    (0.0352624965998911, 0.700383064443688, 6.37396220353165, 33.912866078383,
     112.079291497871, 221.213596169931, 220.206867912376),
    (0.0883883476483184, 1.75566716318264, 16.064177579207, 86.7807322029461,
     296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752),
)  # fmt: skip


def log(x: ArrayLike) -> Array:
    """Natural logarithm of positive numbers, to about two units in the last place."""
    mantissa, exponent = np.frexp(np.maximum(np.asarray(x, dtype=np.float64), _LEAST))
    small = mantissa < 0.7071067811865476
    mantissa = np.where(small, 2.0 * mantissa, mantissa)
    exponent = np.where(small, exponent - 1, exponent).astype(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square, series = s * s, np.zeros_like(s)
    for k in range(23, 0, -2):
        series = series * square + 1.0 / k
    result: Array = exponent * _LN2_HIGH + (2.0 * s * series + exponent * _LN2_LOW)
    return result


def exp(x: ArrayLike) -> Array:
    """Exponential, to about two units in the last place."""
    x = np.clip(np.asarray(x, dtype=np.float64), -700.0, 700.0)
    twos = np.rint(x * 1.4426950408889634)
    rest = (x - twos * _LN2_HIGH) - twos * _LN2_LOW
    series = np.ones_like(rest)
    for k in range(14, 0, -1):
        series = 1.0 + rest * series / k
    result: Array = np.ldexp(series, twos.astype(np.int32))
    return result


def power(x: ArrayLike, exponent: ArrayLike) -> Array:
    """Return x to a power, for positive x."""
    return exp(np.asarray(exponent) * log(x))


def normal_quantile(u: ArrayLike) -> Array:
    """Value below which a standard normal number lies with probability `u` in (0, 1)."""
    u = np.asarray(u, dtype=np.float64)
    q = u - 0.5
    middle = np.minimum(np.abs(q), 0.425)
    inner = q * _ratio(_MIDDLE, 0.180625 - middle * middle)
    root = np.sqrt(-log(np.minimum(u, 1.0 - u)))
    outer = np.where(root <= 5.0, _ratio(_SIDE, root - 1.6), _ratio(_TAIL, root - 5.0))
    result: Array = np.where(np.abs(q) <= 0.425, inner, np.where(q < 0, -outer, outer))
    return result


def normal_probability(z: ArrayLike) -> Array:
    """Probability that a standard normal number is at most `z`; good to 1e-14 within ±7."""
    z = np.asarray(z, dtype=np.float64)
    far = np.minimum(np.abs(z), 7.0)
    below = exp(-0.5 * far * far) * _ratio(_HART, far)
    result: Array = np.where(z > 0, 1.0 - below, below)
    return result


def _ratio(coefficients: Any, x: Array) -> Array:
    above, below = np.zeros_like(x), np.zeros_like(x)
    for c in coefficients[0]:
        above = above * x + c
    for c in coefficients[1]:
        below = below * x + c
    return above / below
