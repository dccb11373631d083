"""Compile the loops of shapes, given as class:precision, at low priority."""

import os
import sys

import torch

from osog.exit_wave.compiled.choice import by_name, compile_now

if hasattr(os, "nice"):
    os.nice(10)
for argument in sys.argv[1:]:
    name, real = argument.split(":")
    compile_now(by_name(name), getattr(torch, real))
