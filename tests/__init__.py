"""Tests, one folder for each package, and one for each thing that is measured."""
