from typing import Any

import django.db.models.deletion
from django.db import migrations, models

UNCHECKED = {
    "item": {"source": "source"},
    "itemversion": {"item": "item", "submission": "submission"},
    "entry": {"record": "sourcerecord", "item": "item", "version": "itemversion", "submission": "submission"},
    "care": {"record": "sourcerecord", "item": "item", "submission": "submission"},
    "returnrow": {"source": "source", "submission": "submission"},
}


class Uncheck(migrations.AlterField):
    """Take the check off a foreign key. SQLite copies the table for that: once for all of its fields, with the last."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        last = list(UNCHECKED[self.model_name_lower])[-1]
        if schema_editor.connection.vendor != "sqlite" or self.name == last:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def _field(model: str, name: str, to: str) -> Any:
    return models.ForeignKey(
        db_constraint=False,
        db_index=(model, name) == ("care", "record"),
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=f"record.{to}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("record", "0008_matchdetails_rows"),
    ]

    operations = [
        Uncheck(model_name=model, name=name, field=_field(model, name, to))
        for model, fields in UNCHECKED.items()
        for name, to in fields.items()
    ]
