"""The site, and two addresses whose views fail with words about a person in what they raise."""

from typing import NoReturn

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.urls import path

from joinery.site import urls

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@login_not_required
def fail(request: HttpRequest) -> NoReturn:
    raise ValueError(f"cannot read {request.GET['name']}, 999 000 1111")


@login_not_required
def suspect(request: HttpRequest) -> NoReturn:
    raise SuspiciousOperation(f"{request.GET['name']} is not expected")


urlpatterns = [*urls.urlpatterns, path("fail/", fail), path("suspect/", suspect)]
