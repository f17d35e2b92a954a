"""Fuzz targets for the readers of hostile bytes: `python -m tests.fuzz TARGET --seconds N` (needs atheris)."""
