"""Columns that most judgement tables share."""

from include.freezeline.contracts.columns import Column

SUBJECT = (
    Column("feature", "string", "Feature judged.", nullable=False),
    Column("environment", "string", "Deployment environment judged.", nullable=False),
)
REVISION = (
    Column(
        "revision",
        "int32",
        "1 as first reported; higher when what is known changed.",
        nullable=False,
    ),
    Column(
        "content_hash",
        "string",
        "Hash of the row's other columns; equal hashes are not written again.",
        nullable=False,
    ),
)
