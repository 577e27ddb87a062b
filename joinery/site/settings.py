"""Django settings. Everything a deployment decides comes from these environment variables:

- `JOINERY_DATA`: the deployment's folder (default `joinery-data` in the current folder);
- `JOINERY_DATABASE`: `postgresql://user:password@host:port/name` (default: SQLite in the folder);
- `JOINERY_HOSTS`: host names to answer to, by commas (default: this machine only);
- `JOINERY_PLACE`: the place's name, as pages show it (default: the name of the body that was started);
- `JOINERY_UPLOAD_MB`: how large a file may be that is uploaded on a page (default 200);
- `JOINERY_INBOX`: the folder into which senders put files (default `inbox/files` in the deployment's folder);
- `JOINERY_MESH_URL`: the address of MESH, such as `https://mesh-sync.spineservices.nhs.uk`;
- `JOINERY_MESH_MAILBOX`: the mailbox that is emptied;
- `JOINERY_MESH_PASSWORD`: the file that holds the mailbox's password;
- `JOINERY_MESH_SHARED_KEY`: the file that holds the shared key of the environment;
- `JOINERY_MESH_CERT` and `JOINERY_MESH_KEY`: the files of the certificate for MESH and of its key;
- `JOINERY_MESH_CA`: the file of the authorities that MESH is checked against (default: those of mesh-client).
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

JOINERY_DATA = Path(os.environ.get("JOINERY_DATA", "joinery-data")).absolute()
JOINERY_INBOX = Path(os.environ.get("JOINERY_INBOX") or JOINERY_DATA / "inbox" / "files").absolute()
KEYS = JOINERY_DATA / "keys"
DEMO = (JOINERY_DATA / "demo.json").exists()
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HOSTS = tuple(h.strip() for h in os.environ.get("JOINERY_HOSTS", "").split(",") if h.strip())
PLACE_NAME = os.environ.get("JOINERY_PLACE", "Wexcombe" if DEMO else "")


def _secret_key() -> str:
    """The deployment's own key, made on first use and kept out of the database and of git."""
    path = KEYS / "django.key"
    if not path.exists():
        for folder in (JOINERY_DATA, KEYS):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Whole or not at all, and never twice: another process may be making it at this moment.
        new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        new.touch(mode=0o600)
        new.write_text(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(new)
        new.unlink()
    return path.read_text()


def _database() -> dict[str, Any]:
    url = urlsplit(os.environ.get("JOINERY_DATABASE", ""))
    if url.scheme in ("postgresql", "postgres"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(url.hostname or ""),
            "PORT": url.port or "",
            "CONN_MAX_AGE": 60,
        }
    if url.scheme:
        raise ImproperlyConfigured("JOINERY_DATABASE must start with postgresql:// (leave it out for SQLite)")
    # NORMAL may lose the last commits when the power fails: only while a demo is being built.
    synchronous = "NORMAL" if os.environ.get("JOINERY_BUILDING_DEMO") else "FULL"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": JOINERY_DATA / "joinery.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            "init_command": (
                f"PRAGMA journal_mode=WAL;PRAGMA synchronous={synchronous};PRAGMA foreign_keys=ON;"
                # 64 MB between checkpoints: the commit in which one falls takes ten times as long.
                "PRAGMA wal_autocheckpoint=16000;"
                "PRAGMA cache_size=-64000;PRAGMA mmap_size=268435456"
            ),
        },
    }


def _upload_mb() -> int:
    said = os.environ.get("JOINERY_UPLOAD_MB") or "200"
    if not said.isdecimal():
        raise ImproperlyConfigured("JOINERY_UPLOAD_MB must be a whole number of megabytes, such as 200")
    return int(said)


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = [*LOOPBACK, *(() if DEMO else HOSTS)]
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "joinery.apps.base",
    "joinery.apps.place",
    "joinery.apps.record",
    "joinery.apps.measures",
    "joinery.site",
]
MIDDLEWARE = [
    "joinery.site.middleware.frame",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]
ROOT_URLCONF = "joinery.site.urls"
WSGI_APPLICATION = "joinery.site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [Path(__file__).parent / "templates", *sorted(Path(__file__).parents[1].glob("apps/*/templates"))],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "joinery.site.jinja.environment",
            "context_processors": ["joinery.site.context.page"],
        },
    },
]

AUTH_USER_MODEL = "base.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "joinery.site.accounts.Adapter"
ACCOUNT_SESSION_REMEMBER = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "record:find"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(HOSTS)
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "joinery.site.errors.csrf_failed"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in HOSTS]
SECURE_HSTS_SECONDS = 31_536_000 if HOSTS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HOSTS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
USE_I18N = False
UPLOAD_MB = _upload_mb()
# What is uploaded goes to disk as it comes, and never into memory.
FILE_UPLOAD_HANDLERS = ["joinery.site.uploads.Receiver"]
STATIC_URL = "static/"
STATIC_ROOT = JOINERY_DATA / "static"
STATICFILES_DIRS = [Path(__file__).parent / "theme/static"]
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "joinery.site.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Django's own configuration adds a console and an e-mail handler; both would print more than ours.
    # SQLGlot, which writes Splink's statements, tells of each of them.
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "sqlglot": {"level": "WARNING"},
    },
}
