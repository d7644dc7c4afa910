"""The first tables: sites, cameras, events, incidents, evidence, accounts, the audit record."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite gives numbers of its own only to a primary key declared INTEGER.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOUBLE: sa.Double[float] = sa.Double(precision=53)
CARRIED = sa.JSON(none_as_null=True)

# The audit record is appended to and read; the database itself refuses anything else.
_SEAL = {
    "sqlite": (
        """
        CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
        BEGIN SELECT RAISE(ABORT, 'the audit record cannot be changed'); END
        """,
        """
        CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
        BEGIN SELECT RAISE(ABORT, 'the audit record cannot be changed'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit record cannot be changed'; END
        $$
        """,
        """
        CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()
        """,
    ),
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit_entry",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", DOUBLE, nullable=False),
        sa.Column("user", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=80), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"])
    op.create_table(
        "change",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", DOUBLE, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("ref", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index(op.f("ix_change_at"), "change", ["at"])
    op.create_table(
        "login_failure",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", DOUBLE, nullable=False),
        sa.Column("blocked_until", DOUBLE, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_failure")),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("value", CARRIED, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("settings", CARRIED, nullable=False),
        sa.Column("removed_at", DOUBLE, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_table(
        "user",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("sites", CARRIED, nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_at", DOUBLE, nullable=False),
        sa.Column("disabled_at", DOUBLE, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("name", name=op.f("uq_user_name")),
    )
    op.create_table(
        "camera",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("site_id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("settings", CARRIED, nullable=False),
        sa.Column("removed_at", DOUBLE, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_camera_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera")),
    )
    op.create_index(op.f("ix_camera_site_id"), "camera", ["site_id"])
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("created_at", DOUBLE, nullable=False),
        sa.Column("seen_at", DOUBLE, nullable=False),
        sa.Column("expires_at", DOUBLE, nullable=False),
        sa.Column("address", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_session_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_user_id"), "session", ["user_id"])
    op.create_table(
        "camera_state",
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since", DOUBLE, nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("fps", DOUBLE, nullable=False),
        sa.Column("recording", sa.Boolean(), nullable=False),
        sa.Column("counters", CARRIED, nullable=False),
        sa.Column("updated_at", DOUBLE, nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_camera_state_camera_id")),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_camera_state")),
    )
    op.create_table(
        "incident",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("site_id", sa.String(length=63), nullable=False),
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("behaviour", sa.String(length=30), nullable=False),
        sa.Column("behaviours", CARRIED, nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=True),
        sa.Column("owner", sa.String(length=80), nullable=True),
        sa.Column("opened_at", DOUBLE, nullable=False),
        sa.Column("started_at", DOUBLE, nullable=False),
        sa.Column("ended_at", DOUBLE, nullable=True),
        sa.Column("resolved_at", DOUBLE, nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("score", DOUBLE, nullable=False),
        sa.Column("box", CARRIED, nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("reason", CARRIED, nullable=True),
        sa.CheckConstraint(
            "state IN ('new', 'acknowledged', 'verified', 'dispatched', 'resolved')",
            name=op.f("ck_incident_state"),
        ),
        sa.CheckConstraint("verdict IN ('true', 'false', 'unclear')", name=op.f("ck_incident_verdict")),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_incident_severity")),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_incident_camera_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_incident_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index(op.f("ix_incident_behaviour"), "incident", ["behaviour"])
    op.create_index("ix_incident_camera_id_ended_at", "incident", ["camera_id", "ended_at"])
    op.create_index(op.f("ix_incident_site_id"), "incident", ["site_id"])
    op.create_index("ix_incident_state_id", "incident", ["state", "id"])
    op.create_table(
        "clip",
        sa.Column("incident_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("original_path", sa.Text(), nullable=True),
        sa.Column("anonymised_path", sa.Text(), nullable=True),
        sa.Column("still_path", sa.Text(), nullable=True),
        sa.Column("started_at", DOUBLE, nullable=True),
        sa.Column("ended_at", DOUBLE, nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("updated_at", DOUBLE, nullable=False),
        sa.CheckConstraint("state IN ('none', 'pending', 'ready', 'failed')", name=op.f("ck_clip_state")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_clip_incident_id")),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_clip")),
    )
    op.create_index(op.f("ix_clip_state"), "clip", ["state"])
    op.create_table(
        "event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("incident_id", NUMBER, nullable=False),
        sa.Column("behaviour", sa.String(length=30), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("started_at", DOUBLE, nullable=False),
        sa.Column("decided_at", DOUBLE, nullable=False),
        sa.Column("ended_at", DOUBLE, nullable=True),
        sa.Column("known_until_at", DOUBLE, nullable=False),
        sa.Column("recorded_at", DOUBLE, nullable=False),
        sa.Column("updated_at", DOUBLE, nullable=False),
        sa.Column("score", DOUBLE, nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("box", CARRIED, nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("reason", CARRIED, nullable=True),
        sa.Column("curve", CARRIED, nullable=False),
        sa.Column("orphaned", sa.Boolean(), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_event_score")),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_event_camera_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_event_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_incident_id"), "event", ["incident_id"])
    op.create_index("ix_event_open", "event", ["camera_id", "ended_at"])
    op.create_table(
        "incident_step",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("incident_id", NUMBER, nullable=False),
        sa.Column("at", DOUBLE, nullable=False),
        sa.Column("user", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("from_state", sa.String(length=20), nullable=False),
        sa.Column("to_state", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_step_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_step")),
    )
    op.create_index(op.f("ix_incident_step_incident_id"), "incident_step", ["incident_id"])
    for statement in _SEAL[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables, and all that is in them."""
    op.drop_table("incident_step")
    op.drop_table("event")
    op.drop_table("clip")
    op.drop_table("incident")
    op.drop_table("camera_state")
    op.drop_table("session")
    op.drop_table("camera")
    op.drop_table("user")
    op.drop_table("site")
    op.drop_table("setting")
    op.drop_table("login_failure")
    op.drop_table("change")
    op.drop_table("audit_entry")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_entry_refuse")
