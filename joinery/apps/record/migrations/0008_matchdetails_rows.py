from typing import Any

from django.db import migrations


def find_by_row(apps: Any, schema_editor: Any) -> None:
    """On SQLite a row is found at once by a key that is declared `integer`, and by any other through an index."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(
            "CREATE TABLE record_matchdetails_new (details_id integer NOT NULL PRIMARY KEY, "
            "version smallint NOT NULL, fields text NOT NULL, record_id bigint NOT NULL)"
        )
        columns = "details_id, version, fields, record_id"
        schema_editor.execute(
            f"INSERT INTO record_matchdetails_new ({columns}) SELECT {columns} FROM record_matchdetails ORDER BY 1"
        )
        schema_editor.execute("DROP TABLE record_matchdetails")
        schema_editor.execute("ALTER TABLE record_matchdetails_new RENAME TO record_matchdetails")


class Migration(migrations.Migration):
    dependencies = [
        ("record", "0007_care"),
    ]

    operations = [
        migrations.RunPython(find_by_row, migrations.RunPython.noop),
    ]
