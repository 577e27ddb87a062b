"""Addresses of the pages of the directory, under /place/."""

from django.urls import path

from joinery.site.place import arranging, bodies, proposals

urlpatterns = [
    path("", bodies.today, name="today"),
    path("body/<str:code>/", bodies.body, name="body"),
    path("bodies/", bodies.bodies, name="bodies"),
    path("responsible/", bodies.responsible, name="responsible"),
    path("proposals/", proposals.listed, name="proposals"),
    path("proposals/<int:proposal_id>/", proposals.proposal, name="proposal"),
    path("proposals/<int:proposal_id>/adopt/", proposals.decide, {"verb": "adopt"}, name="adopt"),
    path("proposals/<int:proposal_id>/drop/", proposals.decide, {"verb": "drop"}, name="drop"),
    path("proposals/<int:proposal_id>/<str:kind>/", proposals.change, name="change"),
    path("waiting/", arranging.waiting, name="waiting"),
    path("start/", arranging.start, name="start"),
    path("start/home/", arranging.home, name="home"),
    path("start/body/", arranging.add_body, name="add_body"),
    path("start/lead/", arranging.name_lead, name="name_lead"),
    path("start/file/", arranging.take_file, name="take_file"),
    path("start/people/", arranging.people, name="people"),
    path("start/feed/", arranging.feed, name="feed"),
    path("editions/", arranging.editions, name="editions"),
    path("editions/<int:edition_id>/", arranging.edition, name="edition"),
]
