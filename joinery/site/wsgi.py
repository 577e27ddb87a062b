"""The web application, for granian or any other WSGI server."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "joinery.site.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402 (settings come first)

from joinery.site.setup import refuse_unready  # noqa: E402

application = get_wsgi_application()
refuse_unready()
