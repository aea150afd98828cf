"""Tests of what the benches are made of."""
