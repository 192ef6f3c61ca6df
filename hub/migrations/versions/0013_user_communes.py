"""Users see the communes they work for; incidents from before communes were noted get theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("communes", sa.JSON, nullable=False, server_default="[]"))
    # What has no commune would be hidden from everybody who works for one.
    op.execute(
        "UPDATE incident SET commune = COALESCE("
        "(SELECT area.code FROM pole JOIN area ON area.id = pole.commune_id WHERE pole.code = incident.pole), "
        "(SELECT area.code FROM node JOIN area ON area.id = node.commune_id "
        "WHERE node.name = incident.originator AND incident.originator_type = 'node'), '') "
        "WHERE commune = ''"
    )


def downgrade() -> None:
    with op.batch_alter_table("user") as batch:
        batch.drop_column("communes")
