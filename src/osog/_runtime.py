"""Settings of the process that must stand before torch computes, each with its reason."""

from __future__ import annotations

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
_KEEP_BYTES = 512 * 2**20
_MMAP_BYTES = 32 * 2**20  # the largest that glibc accepts


def prepare() -> None:
    """Let waiting threads sleep and let freed memory be reused; idempotent.

    torch's OpenMP threads spin for milliseconds while they wait: with any other work on the
    machine two threads are then several times slower than one. Threads that sleep at once
    (OMP_WAIT_POLICY=PASSIVE) lose a quarter of an idle machine to waking up; a thousand turns of
    the loop (a few µs) lose nothing either way. Acts only if torch is not loaded yet.

    glibc hands every freed block of over 128 kB back to the kernel, which then zeroes its pages
    again: without the two thresholds half of a render of 40,000 rods is system time.
    ``OSOG_KEEP_MALLOC=1`` leaves the allocator alone.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    os.environ.setdefault("KMP_BLOCKTIME", "1")
    if not sys.platform.startswith("linux") or os.environ.get("OSOG_KEEP_MALLOC"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library, whose allocator has its own ways
    mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
    mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)


prepare()
