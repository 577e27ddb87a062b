"""Addresses of the pages of the staff, and the short one that is printed on invitations."""

from django.urls import path

from joinery.site.staff import invitations, own_access, pages

urlpatterns = [
    path("staff/", pages.index, name="index"),
    path("staff/add/", pages.add, name="add"),
    path("staff/review/", pages.reviews, name="reviews"),
    path("staff/<int:membership_id>/", pages.member, name="member"),
    path("staff/<int:membership_id>/end/", pages.end, name="end"),
    path("staff/<int:membership_id>/invite/", pages.invite_again, name="invite"),
    path("people/<str:person_id>/own-access/", own_access.page, name="own_access"),
    path("invitation/", invitations.accept, name="accept"),
]
