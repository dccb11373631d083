"""What `osog bench` measures: one file for each kind."""
