"""Addresses of privacy. A look is called by its event in the access log, a task by its number."""

from django.urls import path

from joinery.site.privacy import asking, mine, tasks

urlpatterns = [
    path("people/<str:person_id>/emergency/", asking.override, name="override"),
    path("people/<str:person_id>/entries/<int:entry_id>/ask/", asking.ask, name="ask"),
    path("people/<str:person_id>/who-has-looked/<slug:event>/", asking.report, name="report"),
    path("asked/", asking.raised, name="raised"),
    path("mine/", mine.index, name="mine"),
    path("mine/<str:person_id>/", mine.looked, name="looked"),
    path("looks/", tasks.index, name="index"),
    path("looks/<int:task_id>/", tasks.task, name="task"),
]
