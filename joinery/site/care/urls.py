"""Addresses of care. A referral is called by its code, which says nothing of whom it is about."""

from django.urls import path

from joinery.site.care import around, asked, meetings, referral, referring, services, waits, work

urlpatterns = [
    path("people/<str:person_id>/refer/", referring.choose, name="choose"),
    path("people/<str:person_id>/refer/<slug:service>/", referring.refer, name="refer"),
    path("referrals/<slug:referral_code>/", referral.page, name="referral"),
    path("referrals/<slug:referral_code>/step/<slug:to>/", referral.step, name="step"),
    path("work/", work.index, name="work"),
    path("work/asked/", asked.page, name="asked"),
    path("work/<slug:service>/", work.team, name="team_work"),
    path("services/", services.index, name="services"),
    path("services/add/", services.offer, name="offer"),
    path("services/<slug:service>/", services.page, name="service"),
    path("services/<slug:service>/change/", services.change, name="change"),
    path("services/<slug:service>/close/", services.close, name="close"),
    path("services/<slug:service>/members/", services.members, name="members"),
    path("waits/", waits.page, name="waits"),
    path("people/<str:person_id>/team/", around.page, name="around"),
    path("people/<str:person_id>/team/<int:part_id>/end/", around.end, name="end_part"),
    path("people/<str:person_id>/meeting/", meetings.add, name="to_meeting"),
    path("work/asked/<int:part_id>/", around.offered, name="offered"),
    path("work/asked/done/<int:action_id>/", meetings.done, name="done"),
    path("meetings/", meetings.index, name="meetings"),
    path("meetings/<int:meeting_id>/", meetings.page, name="meeting"),
]
