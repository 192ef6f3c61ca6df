"""What nodes tell beside lamp and meter: standing faults and counters, events of cameras that begin and end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pole_state", sa.Column("told", sa.JSON, nullable=False, server_default="{}"))
    op.create_index("ix_pole_state_node", "pole_state", ["node"])
    op.add_column("node_event", sa.Column("camera", sa.String(31)))
    op.add_column("node_event", sa.Column("active", sa.Boolean))
    op.create_index("ix_node_event_pole", "node_event", ["pole"])
    op.create_index("ix_node_event_node_kind", "node_event", ["node", "kind"])
    op.add_column("command", sa.Column("camera", sa.String(31)))


def downgrade() -> None:
    op.drop_column("command", "camera")
    op.drop_index("ix_node_event_node_kind", "node_event")
    op.drop_index("ix_node_event_pole", "node_event")
    op.drop_column("node_event", "active")
    op.drop_column("node_event", "camera")
    op.drop_index("ix_pole_state_node", "pole_state")
    op.drop_column("pole_state", "told")
