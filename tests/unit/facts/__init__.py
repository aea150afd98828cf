"""Tests of include.freezeline.facts."""
