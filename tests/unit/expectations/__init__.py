"""Tests of include.freezeline.expectations."""
