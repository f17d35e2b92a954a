"""Figures: what an operation costs here, beside what was asked. `make bench` runs them."""
