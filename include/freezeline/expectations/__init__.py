"""Great Expectations suites at the boundaries that dbt cannot see."""
