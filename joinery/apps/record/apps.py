from django.apps import AppConfig


class RecordConfig(AppConfig):
    name = "joinery.apps.record"
    label = "record"
    default_auto_field = "django.db.models.BigAutoField"
