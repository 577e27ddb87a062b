"""Another place, in a process of its own: it serves its messages, and does what it is told on standard input.

Run with JOINERY_DATA of a migrated deployment. Each line in is a command as JSON, each line out its answer.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

HOSPITAL, NURSES = "RZZ99", "ZC1"


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main() -> None:
    from joinery.site import setup

    setup.load()
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.utils import timezone

    from joinery.apps.base.action import Actor
    from joinery.apps.care import actions as care
    from joinery.apps.care import facts
    from joinery.apps.place.actions import OrganisationDetails, register_organisation
    from joinery.site.bars.known import known, new_key
    from joinery.site.bars.sending import send

    data, by = Path(settings.JOINERY_DATA), {"actor": Actor.system("test")}
    for code, form in ((HOSPITAL, "foundation_trust"), (NURSES, "community_trust")):
        register_organisation(details=OrganisationDetails(code, code, form), at=timezone.now(), **by)
    said = {"kind": "district_nursing", "name": "District nursing", "about": "", "areas": []}
    care.offer_service(code="nurses-here", organisation=NURSES, **said, at=timezone.now(), **by)
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tell({"port": server.server_port, "key": new_key(settings.KEYS, HOSPITAL)})
    for line in sys.stdin:
        asked = json.loads(line)
        code = facts.code_of_outside(HOSPITAL, asked.get("outside_id", "")) or ""
        now = facts.referral(code, timezone.now())
        if asked["do"] == "step" and now:
            at = timezone.now()
            care.take_step(code=code, number=now.number, to=asked["to"], reason="no_room", words="Full", at=at, **by)
        if asked["do"] == "send":
            tell([[sent.to, sent.what] for sent in send(known(data), data, timezone.now())])
        else:
            now = facts.referral(code, timezone.now())
            tell({"state": now.state if now else "", "service": now.service if now else ""})


def tell(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
