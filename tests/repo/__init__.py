"""Tests of the repository itself: the arrows, the locks, the catalogues, what is tracked."""
