"""What several of the lake's tables share."""

from include.freezeline.contracts.columns import Column

SOURCE_COLUMNS = (
    Column("source_object", "string", "Key of the object the row came from.", nullable=False),
    Column("source_sha256", "string", "SHA-256 of the object's bytes, hex.", nullable=False),
    Column(
        "arrived_at",
        "timestamp",
        "When the object reached the bucket: the upload time in its key's partition, else its modification time. The second clock: a row is known from here on.",
        nullable=False,
    ),
)
