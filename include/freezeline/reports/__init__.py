"""The freeze report and the queries that people and the page read."""
