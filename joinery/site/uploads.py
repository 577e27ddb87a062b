"""Files that come by a page: how large one may be, and where it lies while it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest

MOST_NAME_CHARACTERS = 100
# What a form holds beside its file.
MOST_FORM_BYTES = 100_000


class Receiver(TemporaryFileUploadHandler):
    """Puts what is uploaded on disk as it comes; of a request that says it is too large, no file.

    All other fields are kept, among them the token against forgery, so that the page can answer.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file, or let it run into nothing: a browser that still sends shows no answer."""
        if is_too_large(self.request):
            raise SkipFile
        super().new_file(*args, **kwargs)


def is_too_large(request: HttpRequest | None) -> bool:
    """Whether a request says that it holds more than a page takes. Then its file was not kept."""
    length = request.META.get("CONTENT_LENGTH") or "" if request else ""
    return length.isdecimal() and int(length) > settings.UPLOAD_MB * 1_000_000 + MOST_FORM_BYTES


@contextmanager
def kept(sent: TemporaryUploadedFile) -> Iterator[Path]:
    """An uploaded file under the name that its sender gave it, in a folder that is gone afterwards."""
    lies = Path(sent.temporary_file_path())
    name = Path((sent.name or "").replace("\\", "/")).name.replace("\0", "") or "file"
    # Beside the file, for it is not copied but given a second name. Nothing but the name is trusted.
    with TemporaryDirectory(prefix="joinery-upload-", dir=lies.parent) as folder:
        path = Path(folder) / name[-MOST_NAME_CHARACTERS:]
        path.hardlink_to(lies)
        yield path
