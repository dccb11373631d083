"""Formats of datasets, one file each; `FORMATS` lists them."""
