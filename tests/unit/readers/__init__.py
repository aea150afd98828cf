"""Readers: bytes of the bucket to rows."""
