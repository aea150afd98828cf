"""Tests of include.freezeline.evaluations."""
