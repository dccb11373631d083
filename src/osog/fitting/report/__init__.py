"""What a fit says: the result, its uncertainty, tests of the residual, and messages."""
