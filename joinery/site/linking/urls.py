"""Addresses of the pages of pairs that wait, under /review/. Records are numbers here: no address names anybody."""

from django.urls import path

from joinery.site.linking import quality, review

urlpatterns = [
    path("", review.index, name="index"),
    path("quality/", quality.page, name="quality"),
    path("<int:record_id>/<int:other_id>/", review.case, name="case"),
]
