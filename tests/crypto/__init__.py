"""Tests of crypto: formats against published vectors and our own, and damage of every kind."""
