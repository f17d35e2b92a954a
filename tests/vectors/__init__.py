"""Vectors of our own formats, one defect each, and the script that makes them (`python -m tests.vectors.make`)."""
