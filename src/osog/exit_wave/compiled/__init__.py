"""The deposit as compiled loops, written from the formulas of the shapes.

`expressions` reads torch code as arithmetic, `code` writes that down, and its adjoint, `source` for
the path of a shape and `functions` for single formulas, which `wall_loops` calls for every edge and
face. `loops` holds what is around them, `choice` compiles and keeps the code, `drawing` calls it.
"""
