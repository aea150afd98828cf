"""The other targets: DuckLake with its servers, and a Spark cluster, started and stopped here."""
