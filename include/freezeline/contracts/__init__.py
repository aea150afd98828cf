"""The tables everything shares; imports nothing but the standard library and pyarrow."""
