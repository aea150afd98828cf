"""Business facts: one YAML per fact, read from CSV, Parquet or JSON lines."""
