"""Every address of the site. Signed-out people reach only what is marked so."""

from collections.abc import Callable

from allauth.account import views as account
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from joinery.site import errors, person, series
from joinery.site.accounts import LogInView
from joinery.site.health import healthz
from joinery.site.linking import joined


def _words(template: str) -> Callable[[HttpRequest], HttpResponse]:
    @login_not_required
    def view(request: HttpRequest) -> HttpResponse:
        return render(request, template)

    return view


@login_not_required
def _not_offered(request: HttpRequest) -> HttpResponse:
    """allauth links to pages that this site does not offer; their names must exist."""
    raise Http404


people = [
    path("", person.find, name="find"),
    path("people/<str:person_id>/", person.page, name="person"),
    path("people/<str:person_id>/who-has-looked/", person.looked, name="looked"),
    path("people/<str:person_id>/who-answers/", person.answers, name="answers"),
    path("people/<str:person_id>/why/", joined.why, name="joined"),
    path("people/<str:person_id>/details/", joined.details, name="details"),
    path("people/<str:person_id>/entries/<int:entry_id>/", person.entry, name="entry"),
]

figures = [
    path("", series.index, name="series"),
    path("<int:series_id>/", series.bodies, name="bodies"),
    path("<int:series_id>/<str:code>/", series.body, name="body"),
]

urlpatterns = [
    path("", include((people, "record"))),
    path("series/", include((figures, "measures"))),
    path("feeds/", include(("joinery.site.feeds.urls", "feeds"))),
    path("review/", include(("joinery.site.linking.urls", "review"))),
    path("place/", include(("joinery.site.place.urls", "place"))),
    path("log-in/", LogInView.as_view(), name="account_login"),
    path("log-out/", account.logout, name="account_logout"),
    path("log-in/inactive/", account.account_inactive, name="account_inactive"),
    path("log-in/sign-up/", _not_offered, name="account_signup"),
    path("log-in/forgotten/", _not_offered, name="account_reset_password"),
    path("accessibility/", _words("accessibility.jinja"), name="accessibility"),
    path("privacy/", _words("privacy.jinja"), name="privacy"),
    path("help/", _words("help.jinja"), name="help"),
    path("healthz", healthz, name="healthz"),
]
handler400, handler403, handler404, handler500 = (
    errors.bad_request,
    errors.forbidden,
    errors.not_found,
    errors.failed,
)
