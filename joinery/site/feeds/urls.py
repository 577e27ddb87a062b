"""Addresses of the pages of feeds, under /feeds/."""

from django.urls import path

from joinery.site.feeds import beds, glance, quarantine, upload

urlpatterns = [
    path("", glance.index, name="index"),
    path("<int:source_id>/", glance.source, name="source"),
    path("files/<int:submission_id>/", glance.file, name="file"),
    path("files/<int:submission_id>/returned/", quarantine.returned, name="returned"),
    path("quarantine/", quarantine.index, name="quarantine"),
    path("quarantine/<int:quarantined_id>/", quarantine.row, name="row"),
    path("beds/", beds.index, name="beds"),
    path("upload/", upload.page, name="upload"),
]
