"""Crowds: figures by minute, and how many people are in a place."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# SQLite gives numbers of its own only to a primary key declared INTEGER.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOUBLE: sa.Double[float] = sa.Double(precision=53)
CARRIED = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "crowd_series",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('zone', 'line', 'place')", name=op.f("ck_crowd_series_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crowd_series")),
        sa.UniqueConstraint("kind", "owner", "name", name=op.f("uq_crowd_series_kind_owner_name")),
    )
    op.create_index(op.f("ix_crowd_series_owner"), "crowd_series", ["owner"])
    op.create_table(
        "crowd_block",
        sa.Column("series_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("begin", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"], ["crowd_series.id"], name=op.f("fk_crowd_block_series_id_crowd_series")
        ),
        sa.PrimaryKeyConstraint("series_id", "begin", name=op.f("pk_crowd_block")),
    )
    op.create_table(
        "place_occupancy",
        sa.Column("site_id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("at", DOUBLE, nullable=False),
        sa.Column("settled", CARRIED, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_place_occupancy_site_id_site")),
        sa.PrimaryKeyConstraint("site_id", "name", name=op.f("pk_place_occupancy")),
    )


def downgrade() -> None:
    """Take the tables back."""
    op.drop_table("place_occupancy")
    op.drop_table("crowd_block")
    op.drop_index(op.f("ix_crowd_series_owner"), table_name="crowd_series")
    op.drop_table("crowd_series")
