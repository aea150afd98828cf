"""A small company's traces and outcomes, with planted incidents, for the demo and the tests.

``world`` says who calls what, ``topics`` and ``style`` write the texts, ``traffic`` draws a day,
``incidents`` changes it where an incident is planted, ``spans`` and ``encoding`` turn it into
OTLP objects, ``outcomes`` into business facts and ``delivery`` decides when and as what each
object reaches the bucket.
"""
