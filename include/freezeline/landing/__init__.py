"""Landing: which objects are due, what may be written of their rows, and the books.

Pure: the object store, the redactor and the Parquet writer are handed in by ``jobs.land``.
"""
