"""Backup while the deployment works; restore elsewhere; and what is refused, in plain words."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from joinery.__main__ import main
from tests.site.feeds import people_file
from tests.support import Deployment, copied_deployment, empty_deployment

# Takes files and seals, over and over, as the command line and the worker do, until it is stopped.
BUSY = """
import sys, itertools
from pathlib import Path
from joinery.site import setup
setup.load()
from django.conf import settings
from django.utils import timezone
from joinery.apps.base import seal
from joinery.apps.base.action import Actor
from joinery.apps.place.actions import OrganisationDetails, register_organisation
from joinery.apps.record.actions import take_file
from tests.site.feeds import people_file
folder, actor = Path(sys.argv[1]), Actor.system("busy")
details = OrganisationDetails("999", "Wexcombe Council", "council")
register_organisation(details=details, actor=actor, at=timezone.now())
for number in itertools.count():
    path = people_file(folder / str(number) / "person.csv", 5, first=number * 5)
    take_file(path=path, feed="council", organisation_code="999", actor=actor, at=timezone.now())
    seal.seal(keys=seal.Keys(settings.KEYS), at=timezone.now())
    print(number, flush=True)
"""
HELD = (
    "SELECT (SELECT COUNT(*) FROM record_submission WHERE published_at IS NOT NULL), "
    "(SELECT COUNT(*) FROM record_itemversion v JOIN record_submission s ON s.id = v.submission_id "
    "WHERE s.published_at IS NOT NULL)"
)


def held(deployment: Deployment) -> tuple[int, int]:
    """Published files, and the rows that came in them."""
    files, rows = deployment.sql(HELD)[0]
    return files, rows


@contextmanager
def busy(deployment: Deployment, folder: Path) -> Iterator[None]:
    """The deployment takes files for as long as this lasts."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, str(folder)], env=deployment.env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        for _ in range(3):
            assert process.stdout.readline()  # well on its way
        yield
        assert process.poll() is None  # and it still was at the end
    finally:
        process.kill()
        process.communicate()


def test_a_backup_made_while_files_are_taken_restores_to_whole_files_and_verifies(
    deployment: Deployment, tmp_path: Path
) -> None:
    backup = tmp_path / "monday.joinery"
    with busy(deployment, tmp_path / "sent"):
        before = held(deployment)
        made = deployment.json("backup", backup)
        after = held(deployment)
    assert before[0] >= 3 and after[0] > before[0]
    for path in (backup, Path(made["keys"])):
        assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(backup) as tar:
        assert "manifest.json" in tar.getnames() and not any("key" in name for name in tar.getnames())

    with empty_deployment(tmp_path / "elsewhere") as other:
        answer = other.json("restore", backup)
        files, rows = held(other)
        assert answer["audit_ok"] and answer["rows"] > 0
        assert before[0] <= files <= after[0] and rows == files * 5
        # It goes on where it was.
        taken = other.json("take", "--feed", "council", "--from", "999", people_file(tmp_path / "person.csv", 5, 9**6))
        assert taken["taken"] == 5
        modes = {path.name: path.stat().st_mode & 0o777 for path in (other.data / "keys").iterdir()}
        assert set(modes.values()) == {0o600}
        assert (other.data / "keys").stat().st_mode & 0o777 == 0o700
        assert (other.data / "keys/seal.key").read_bytes() == (deployment.data / "keys/seal.key").read_bytes()


@pytest.fixture(scope="module")
def kept(migrated: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup, with its keys beside it."""
    folder = tmp_path_factory.mktemp("kept")
    with copied_deployment(migrated, folder / "data") as deployment:
        answer = deployment.json("backup", folder / "kept.joinery")
        assert set(answer) == {"file", "keys", "bytes", "sha256"}
        again = deployment.run("backup", folder / "kept.joinery")
        assert again.returncode == 1 and "a backup never overwrites one" in again.stderr
    return folder / "kept.joinery"


def repacked(source: Path, target: Path, name: str, change: Any) -> Path:
    """A copy of an archive in which one file's bytes are changed."""
    with tarfile.open(source) as old, tarfile.open(target, "w:gz") as new:
        for entry in old:
            content = old.extractfile(entry).read()  # type: ignore[union-attr]
            content = change(content) if entry.name == name else content
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    return target


def damaged(kept: Path, tmp_path: Path) -> Iterator[tuple[list[Any], str]]:
    """Words after `restore`, and what is said of them."""
    half, changed, keys = tmp_path / "half", tmp_path / "changed", Path(f"{kept}.keys")
    half.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])
    repacked(kept, changed, "database", lambda b: b[:-1] + bytes([b[-1] ^ 1]))
    wrong = repacked(keys, tmp_path / "wrong.keys", "seal.key", lambda b: b[::-1])
    yield [tmp_path / "nothing"], "There is no file"
    yield [kept, "--keys", tmp_path / "nothing"], "There is no file"
    yield [half, "--keys", keys], "cannot be read as a backup"
    yield [changed, "--keys", keys], "is damaged"
    yield [kept, "--keys", wrong], "are not those of"
    yield [keys, "--keys", keys], "not a backup of Joinery"
    yield [__file__, "--keys", keys], "cannot be read as a backup"


def test_what_is_damaged_or_does_not_belong_together_is_refused_and_leaves_nothing(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Within this process: each is refused before a database is touched.
    data = tmp_path / "data"
    monkeypatch.setenv("JOINERY_DATA", str(data))
    for words, said in damaged(kept, tmp_path):
        assert main(["restore", *map(str, words)]) == 1
        assert said in capsys.readouterr().err, words
        assert not data.exists() or not list(data.iterdir()), words


def test_a_folder_or_database_that_holds_something_is_never_restored_into(
    kept: Path, deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.jpg").touch()
    done = Deployment(tmp_path / "photos", deployment.database).run("restore", kept)
    assert done.returncode == 1 and "photos is not empty. Restore into an empty folder" in done.stderr
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]

    if os.environ.get("JOINERY_DATABASE"):
        shutil.rmtree(deployment.data)
        done = deployment.run("restore", kept)
        assert done.returncode == 1 and "The database is not empty" in done.stderr
        assert not list(deployment.data.iterdir())
