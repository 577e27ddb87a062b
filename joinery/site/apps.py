from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "joinery.site"
    label = "joinery_site"
