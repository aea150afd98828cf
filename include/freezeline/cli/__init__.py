"""Thin commands: parse, call a job, print, return an exit status."""
