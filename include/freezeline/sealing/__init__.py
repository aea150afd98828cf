"""Break-glass: originals of redacted texts, sealed for a few days and read against an audit row."""
