"""Helpers of the Makefile. Nothing here is installed with the program."""
