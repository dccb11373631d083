"""How a fit finds the minimum: a table of stages, the descent, its stop, and the polish."""
