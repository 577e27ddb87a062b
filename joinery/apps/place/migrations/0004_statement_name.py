from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [
        ("place", "0003_contract_organisation"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="statement",
            index=models.Index(
                Lower("value"),
                models.F("organisation"),
                condition=models.Q(("kind", "name")),
                name="statement_name",
            ),
        ),
    ]
