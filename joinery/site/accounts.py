"""Signing in: allauth's local accounts, and nothing of allauth that the place does not use yet."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.views import LoginView
from django.http import HttpRequest

from joinery.site.context import demo_users


class Adapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: people are added by their organisation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class LogInView(LoginView):
    """allauth's page; in a demonstration it also lists who can sign in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | demo_users()
