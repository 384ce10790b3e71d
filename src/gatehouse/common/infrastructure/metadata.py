"""What the tables of all modules share: one MetaData, and a naming convention for their constraints."""

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def is_partition(name: str) -> bool:
    """Whether a table in the database is a part of one that is declared: it has that one's name and a suffix."""
    return any(
        table.dialect_options["postgresql"]["partition_by"] and name.startswith(f"{table.name}_")
        for table in metadata.sorted_tables
    )
