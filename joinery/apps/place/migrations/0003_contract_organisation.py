from django.db import migrations


class Migration(migrations.Migration):
    """What the columns said is said by statements now."""

    dependencies = [("place", "0002_statements")]

    operations = [migrations.RemoveField(model_name="organisation", name=name) for name in ("name", "kind", "sector")]
