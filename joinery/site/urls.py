"""Every address of the site. Signed-out people reach only what is marked so."""

from collections.abc import Callable

from allauth.account import views as account
from allauth.mfa.base.views import ReauthenticateView
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from csp.decorators import csp_update
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.generic import RedirectView

from joinery.site import board, errors, idle, keeping_back, oidc, passkeys, person, second_factor, series, sessions
from joinery.site.accounts import ChangePassword, LogInView
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


# The pages of passkeys alone may run a script, ours.
_scripted = csp_update({"script-src": ["'self'"]})

# The names are those that allauth looks up.
logging_in = [
    path("log-in/", LogInView.as_view(), name="account_login"),
    path("log-in/code/", _scripted(second_factor.Authenticate.as_view()), name="mfa_authenticate"),
    path("log-in/passkey/", _scripted(passkeys.LogIn.as_view()), name="mfa_login_webauthn"),
    path("log-in/identity/", oidc.start, name="oidc_start"),
    path("log-in/identity/back/", oidc.back, name="oidc_back"),
    path("log-in/unsent/", idle.unsent, name="account_unsent"),
    path("log-in/again/", account.reauthenticate, name="account_reauthenticate"),
    path("log-in/again/code/", ReauthenticateView.as_view(), name="mfa_reauthenticate"),
    path("log-in/again/passkey/", _scripted(ReauthenticateWebAuthnView.as_view()), name="mfa_reauthenticate_webauthn"),
    path("log-in/inactive/", account.account_inactive, name="account_inactive"),
    path("log-in/sign-up/", _not_offered, name="account_signup"),
    path("log-in/forgotten/", _not_offered, name="account_reset_password"),
    path("log-out/", account.logout, name="account_logout"),
    path("account/", second_factor.index, name="mfa_index"),
    path("account/sessions/", sessions.page, name="account_sessions"),
    path("account/password/", ChangePassword.as_view(), name="account_change_password"),
    path("account/password/new/", RedirectView.as_view(pattern_name="mfa_index"), name="account_set_password"),
    path("account/app/", second_factor.AddApp.as_view(), name="mfa_activate_totp"),
    path("account/app/remove/", second_factor.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("account/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/passkeys/", _scripted(passkeys.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", passkeys.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
]

people = [
    path("", person.find, name="find"),
    path("people/<str:person_id>/", person.page, name="person"),
    path("people/<str:person_id>/who-has-looked/", person.looked, name="looked"),
    path("people/<str:person_id>/who-answers/", person.answers, name="answers"),
    path("people/<str:person_id>/why/", joined.why, name="joined"),
    path("people/<str:person_id>/details/", joined.details, name="details"),
    path("people/<str:person_id>/kept-back/", keeping_back.page, name="kept_back"),
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
    path("", include(("joinery.site.care.urls", "care"))),
    path("", include(("joinery.site.privacy.urls", "privacy"))),
    path("", include(("joinery.site.staff.urls", "staff"))),
    *logging_in,
    path("bars/", include(("joinery.site.bars.urls", "bars"))),
    path("board/", board.show, name="board"),
    path("board/start/", board.start, name="board_start"),
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
