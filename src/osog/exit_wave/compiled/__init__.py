"""The deposit as compiled loops, written from the formulas of the shapes.

`expressions` reads a shape's path as arithmetic, `source` writes loops and their adjoint from it,
`loops` holds what is around them, `choice` compiles and keeps the code, `drawing` calls it.
"""
