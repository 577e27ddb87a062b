"""Django settings. Everything a deployment decides comes from these environment variables:

- `JOINERY_DATA`: the deployment's folder (default `joinery-data` in the current folder);
- `JOINERY_DATABASE`: `postgresql://user:password@host:port/name` (default: SQLite in the folder);
- `JOINERY_DATABASE_OWNER`: `postgresql://…` of the role that owns the tables, for `joinery migrate` alone;
- `JOINERY_HOSTS`: host names to answer to, by commas (default: this machine only);
- `JOINERY_SUBDOMAINS`: `yes`: browsers shall use HTTPS for every host below these too (default `no`);
- `JOINERY_PLACE`: the place's name, as pages show it (default: the name of the body that was started);
- `JOINERY_PROXIES`: how many proxies of your own stand before it (default 1 with `JOINERY_HOSTS`, otherwise none);
- `JOINERY_SECOND_FACTOR`: `staff`: who holds a role needs a second factor to log in (the default); or `nobody`;
- `JOINERY_OIDC_ISSUER`: the address of an identity provider (OpenID Connect) with which users may log in;
- `JOINERY_OIDC_CLIENT_ID`: what that provider calls this deployment;
- `JOINERY_OIDC_SECRET`: the file of the secret that the provider gave (`client_secret_basic`);
- `JOINERY_OIDC_KEY`: instead of a secret, the file of a private key in PEM (`private_key_jwt`);
- `JOINERY_OIDC_KEY_ID`: the name under which the provider knows that key;
- `JOINERY_OIDC_NAME`: what users call the provider, such as `NHS Care Identity` (default `NHS or council account`);
- `JOINERY_OIDC_SCOPE`: what is asked of the provider (default `openid email`);
- `JOINERY_OIDC_ASK`: what else is asked, as in an address: `acr_values=AAL2_OR_AAL3_ANY`;
- `JOINERY_OIDC_STRONG`: the claim and values that tell that a second factor was used, such as `acr=AAL2,AAL3`;
- `JOINERY_OIDC_TRUST_EMAIL`: `yes`: an email address that the provider has verified is whose account it is;
- `JOINERY_MAIL`: the address of the mail server for notices (default: none), such as `smtp://user@mail.example.org:587`;
- `JOINERY_MAIL_PASSWORD`: the file of the password for it;
- `JOINERY_MAIL_FROM`: who notices come from, such as `joinery@example.org`;
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
import re
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
OIDC_NAMES = ("issuer", "client_id", "secret", "key", "key_id", "name", "scope", "ask", "strong")
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


def _postgresql(name: str) -> dict[str, Any]:
    """The PostgreSQL database that a variable names; nothing where it names none."""
    url = urlsplit(os.environ.get(name, ""))
    if not url.scheme:
        return {}
    if url.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured(f"{name} must start with postgresql:// (leave it out for SQLite)")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": url.port or "",
        "CONN_MAX_AGE": 60,
    }


def _database() -> dict[str, Any]:
    if named := _postgresql("JOINERY_DATABASE"):
        return named
    # NORMAL may lose the last commits when the power fails: only while a demo is being built.
    synchronous = "NORMAL" if os.environ.get("JOINERY_BUILDING_DEMO") else "FULL"
    return {
        "ENGINE": "joinery.site.sqlite",
        "NAME": JOINERY_DATA / "joinery.sqlite3",
        # To open it anew for each request takes longer than most requests. While it is open the write-ahead log
        # stays, too, and is written over: to make a file longer takes a disk several times as long.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            # Who writes while many do waits, rather than being sent away.
            "timeout": 20,
            "init_command": (
                f"PRAGMA journal_mode=WAL;PRAGMA synchronous={synchronous};PRAGMA foreign_keys=ON;"
                "PRAGMA recursive_triggers=ON;"  # see `base/triggers.py`
                # 64 MB between checkpoints: the commit in which one falls takes ten times as long.
                "PRAGMA wal_autocheckpoint=16000;"
                "PRAGMA cache_size=-64000;PRAGMA mmap_size=134217728"
            ),
        },
    }


def _whole(name: str, default: int, what: str) -> int:
    said = os.environ.get(name) or str(default)
    if not said.isdecimal():
        raise ImproperlyConfigured(f"{name} must be a whole number of {what}, such as {default or 1}")
    return int(said)


def _one_of(name: str, *words: str) -> str:
    """What a variable says; the first of the words where it says nothing."""
    said = os.environ.get(name) or words[0]
    if said not in words:
        raise ImproperlyConfigured(f"{name} must be one of: {', '.join(words)}")
    return said


def _oidc() -> dict[str, str]:
    """What is said of an identity provider; nothing where none is named."""
    said = {name: os.environ.get(f"JOINERY_OIDC_{name.upper()}", "") for name in OIDC_NAMES}
    said["trust_email"] = _one_of("JOINERY_OIDC_TRUST_EMAIL", "no", "yes")
    if not said["issuer"]:
        return {}
    issuer = urlsplit(said["issuer"])
    if issuer.scheme != "https" and issuer.hostname not in LOOPBACK:
        raise ImproperlyConfigured("JOINERY_OIDC_ISSUER must be an address that begins with https://")
    if not said["client_id"] or bool(said["secret"]) == bool(said["key"]):
        raise ImproperlyConfigured(
            "With JOINERY_OIDC_ISSUER, set JOINERY_OIDC_CLIENT_ID and either JOINERY_OIDC_SECRET or JOINERY_OIDC_KEY"
        )
    for file in filter(None, (said["secret"], said["key"])):
        if not Path(file).is_file():
            raise ImproperlyConfigured(f"There is no file {file}: see JOINERY_OIDC_SECRET and JOINERY_OIDC_KEY")
    return said | {
        "name": said["name"] or "NHS or council account",
        "scope": said["scope"] or "openid email",
    }


def _mail() -> dict[str, Any]:
    """How the mail server is reached; nothing where none is named, and in a demonstration.

    Never without encryption, but on this machine.
    """
    url = urlsplit(os.environ.get("JOINERY_MAIL", ""))
    if DEMO or not url.geturl():
        return {}
    try:
        port = url.port
    except ValueError:
        port = 0
    if url.scheme not in ("smtp", "smtps") or not url.hostname or port == 0:
        raise ImproperlyConfigured(
            "JOINERY_MAIL must be an address such as smtp://user@mail.example.org:587, or smtps://"
        )
    if url.password is not None:
        raise ImproperlyConfigured("JOINERY_MAIL holds a password: put it into a file, for JOINERY_MAIL_PASSWORD")
    if not HOSTS:
        raise ImproperlyConfigured("With JOINERY_MAIL, set JOINERY_HOSTS: a notice says where to log in")
    if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", MAIL_FROM):
        raise ImproperlyConfigured("With JOINERY_MAIL, set JOINERY_MAIL_FROM to an email address")
    file = os.environ.get("JOINERY_MAIL_PASSWORD", "")
    if file and not Path(file).is_file():
        raise ImproperlyConfigured(f"There is no file {file}: see JOINERY_MAIL_PASSWORD")
    ssl, here = url.scheme == "smtps", url.hostname in LOOPBACK
    return {
        "host": url.hostname,
        "port": port or (465 if ssl else 587),
        "username": unquote(url.username or ""),
        "password": Path(file).read_text("utf-8").strip() if file else "",
        "use_tls": not ssl and not here,
        "use_ssl": ssl,
        "timeout": 20,
    }


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = [*LOOPBACK, *(() if DEMO else HOSTS)]
DATABASES = {"default": _database()}
DATABASE_OWNER = _postgresql("JOINERY_DATABASE_OWNER")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "joinery.apps.base",
    "joinery.apps.place",
    "joinery.apps.record",
    "joinery.apps.privacy",
    "joinery.apps.care",
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
    "joinery.site.idle.TimeOut",
    "joinery.site.second_factor.Required",
    "joinery.site.part.Gate",
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
ACCOUNT_USER_MODEL_USERNAME_FIELD = "login_name"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "joinery.site.accounts.Adapter"
ACCOUNT_SESSION_REMEMBER = False
# A hospital may reach us from one address, and its staff log in at the same minute.
ACCOUNT_RATE_LIMITS = {"login": "120/m/ip", "login_failed": "60/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = _whole("JOINERY_PROXIES", 1 if HOSTS else 0, "proxies")
SECOND_FACTOR = not DEMO and _one_of("JOINERY_SECOND_FACTOR", "staff", "nobody") == "staff"
MFA_ADAPTER = "joinery.site.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["recovery_codes", "totp", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "joinery.site.passkeys.AddForm",
    "authenticate_webauthn": "joinery.site.passkeys.AuthenticateForm",
    "login_webauthn": "joinery.site.passkeys.LogInForm",
    "reauthenticate_webauthn": "joinery.site.passkeys.ReauthenticateForm",
}
# The code that was shown half a minute ago is taken too: clocks differ, and people type slowly.
MFA_TOTP_TOLERANCE = 1
OIDC = _oidc()
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "record:find"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "joinery.site.passwords.WordsOfOnesOwn"},
]
# Twice as long as a session may be used (`idle.py`): who comes back the next morning is still known, so that
# what they typed can be kept for them until they have logged in again.
SESSION_COOKIE_AGE = 24 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
if HOSTS:  # A browser takes a cookie of such a name over HTTPS only, and from no other host.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(HOSTS)
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "joinery.site.errors.csrf_failed"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in HOSTS]
SECURE_HSTS_SECONDS = 31_536_000 if HOSTS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _one_of("JOINERY_SUBDOMAINS", "no", "yes") == "yes"
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

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # Failed log-ins are counted here: no flood of other addresses may push one out.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
USE_I18N = False
UPLOAD_MB = _whole("JOINERY_UPLOAD_MB", 200, "megabytes")
# What is uploaded goes to disk as it comes, and never into memory.
FILE_UPLOAD_HANDLERS = ["joinery.site.uploads.Receiver"]
STATIC_URL = "static/"
STATIC_ROOT = JOINERY_DATA / "static"
STATICFILES_DIRS = [Path(__file__).parent / "theme/static"]
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
# Nothing but a notice goes by email, and `notices.py` alone sends it.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
MAIL_FROM = os.environ.get("JOINERY_MAIL_FROM", "")
MAIL = _mail()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "joinery.site.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Django's own configuration adds a console and an email handler; both would print more than ours.
    # SQLGlot, which writes Splink's statements, tells of each of them.
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "sqlglot": {"level": "WARNING"},
    },
}
