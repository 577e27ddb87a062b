import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("care", "0001_initial"),
        ("place", "0004_access_review"),
        ("record", "0008_matchdetails_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvolvedBody",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="place.organisation",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="record.sourcerecord",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("record", "organisation"), name="involved_record")],
            },
        ),
    ]
