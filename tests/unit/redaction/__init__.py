"""Tests of include.freezeline.redaction."""
