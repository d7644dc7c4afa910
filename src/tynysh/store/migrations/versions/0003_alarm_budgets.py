"""Alarm budgets: what was watched, what other thresholds would have raised, and what was learnt from it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DOUBLE: sa.Double[float] = sa.Double(precision=53)
CARRIED = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "watch_hour",
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("watched_s", DOUBLE, nullable=False),
        sa.Column("near_alarms", CARRIED, nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_watch_hour_camera_id_camera")),
        sa.PrimaryKeyConstraint("camera_id", "hour", name=op.f("pk_watch_hour")),
    )
    op.create_table(
        "learnt_threshold",
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("behaviour", sa.String(length=30), nullable=False),
        sa.Column("threshold", DOUBLE, nullable=False),
        sa.Column("usual", DOUBLE, nullable=False),
        sa.Column("standing", sa.String(length=10), nullable=False),
        sa.Column("budget", DOUBLE, nullable=False),
        sa.Column("days", DOUBLE, nullable=False),
        sa.Column("per_day", DOUBLE, nullable=False),
        sa.Column("low", DOUBLE, nullable=False),
        sa.Column("high", DOUBLE, nullable=True),
        sa.Column("recall", DOUBLE, nullable=True),
        sa.Column("recall_floor", DOUBLE, nullable=False),
        sa.Column("verified", sa.Integer(), nullable=False),
        sa.Column("refound", sa.Integer(), nullable=False),
        sa.Column("updated_at", DOUBLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["camera.id"], name=op.f("fk_learnt_threshold_camera_id_camera")
        ),
        sa.PrimaryKeyConstraint("camera_id", "behaviour", name=op.f("pk_learnt_threshold")),
    )


def downgrade() -> None:
    """Take the tables back."""
    op.drop_table("learnt_threshold")
    op.drop_table("watch_hour")
