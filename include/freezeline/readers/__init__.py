"""Bytes to canonical records: detection, OTLP and one module per dialect; pure, no clients."""
