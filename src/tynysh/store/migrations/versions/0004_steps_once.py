"""Steps that are taken once, by version and key; and when an incident began anew."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("incident", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("incident", sa.Column("renewed_at", sa.Double(precision=53), nullable=True))
    op.add_column("incident_step", sa.Column("key", sa.String(length=36), nullable=True))
    op.create_index(op.f("ix_incident_step_key"), "incident_step", ["key"], unique=True)


def downgrade() -> None:
    """Take the columns back. Steps that the older version does not know become notes that say so."""
    op.execute(
        "UPDATE incident_step SET note = action, action = 'note' WHERE action IN ('take_over', 'undo')"
    )
    op.drop_index(op.f("ix_incident_step_key"), table_name="incident_step")
    op.drop_column("incident_step", "key")
    op.drop_column("incident", "renewed_at")
    op.drop_column("incident", "version")
