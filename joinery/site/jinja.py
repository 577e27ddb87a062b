"""The Jinja2 environment of every page, and its filters.

Filters turn stored values into the words of the NHS content style guide: dates as
"3 March 2026", times as "2:30pm", NHS numbers as 3-3-4. Datetimes must be aware and are
shown in the time of the place, Europe/London.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from django.templatetags.static import static
from django.urls import reverse
from markupsafe import Markup

LONDON = ZoneInfo("Europe/London")
DESIGN_SYSTEM = "nhsuk/"
OPTIONS: dict[str, Any] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}


class Environment(jinja2.Environment):
    """Our own templates are strict; the design system's are not.

    A misspelt name in a template must fail loudly: an allergy that is silently left out is a
    hazard. The macros of nhsuk-frontend-jinja read missing parameters on purpose, so they are
    compiled by an environment of their own where that is allowed.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"undefined": jinja2.StrictUndefined})
        self.design_system = jinja2.Environment(
            loader=jinja2.PackageLoader("nhsuk_frontend_jinja"),
            undefined=jinja2.ChainableUndefined,
            **OPTIONS,
        )

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> jinja2.Template:
        if isinstance(name, str) and name.startswith(DESIGN_SYSTEM):
            return self.design_system.get_template(name)
        return super().get_template(name, parent, globals)


def environment(**options: Any) -> jinja2.Environment:
    """Make the environment; named by the TEMPLATES setting, which passes loader and reload options."""
    env = Environment(**options | OPTIONS, extensions=["jinja2.ext.do"])
    env.globals.update(static=static, url=url)
    env.filters.update(
        nhsnumber=nhsnumber,
        longdate=longdate,
        partdate=partdate,
        clock=clock,
        moment=moment,
        stated=stated,
        age=age,
        machine=machine,
    )
    return env


def url(name: str, query: Mapping[str, str | None] | None = None, **kwargs: Any) -> str:
    """Path of a named page; `query` entries that are None are left out."""
    kept = {key: value for key, value in (query or {}).items() if value is not None}
    return reverse(name, kwargs=kwargs, query=kept or None)


def nhsnumber(value: str) -> Markup:
    """'9990001111' -> 999 000 1111, kept on one line."""
    return Markup('<span class="app-nowrap">{}&nbsp;{}&nbsp;{}</span>').format(value[:3], value[3:6], value[6:])


def longdate(value: date) -> str:
    """'3 March 2026'."""
    day = _local(value).date() if isinstance(value, datetime) else value
    return f"{day.day} {day:%B} {day.year}"


def partdate(value: date, precision: str) -> str:
    """A date as far as it is known: '3 March 2026', 'March 2026', '2026', 'Date not given'.

    `precision` is minute, day, month, year or none, as the record keeps it.
    """
    if precision == "none":
        return "Date not given"
    words = longdate(value)
    return words.split(" ", {"month": 1, "year": 2}.get(precision, 0))[-1]


def clock(value: datetime) -> str:
    """'2:30pm', '9am', 'midday', 'midnight'."""
    local = _local(value)
    if local.minute == 0 and local.hour in (0, 12):
        return "midday" if local.hour else "midnight"
    minutes = f":{local:%M}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes}{'pm' if local.hour >= 12 else 'am'}"


def moment(value: datetime) -> str:
    """'3 March 2026, 2:30pm'."""
    return f"{longdate(value)}, {clock(value)}"


def stated(value: datetime, precision: str) -> str:
    """`moment` when the time of day is known, else `partdate`."""
    return moment(value) if precision == "minute" else partdate(value, precision)


def machine(value: datetime, precision: str = "minute") -> str:
    """The value of a <time datetime> attribute, local, cut to what is known: '2026-03', '2026-03-03'."""
    words = _local(value).isoformat(timespec="minutes")
    return words[: {"day": 10, "month": 7, "year": 4}.get(precision, len(words))]


@jinja2.pass_context
def age(context: Mapping[str, Any], value: datetime) -> str:
    """How long before the page's `now`: '4 minutes ago', 'yesterday', '3 years ago'."""
    return ago(value, context["now"])


def ago(value: datetime, now: datetime) -> str:
    """How long `value` is before `now`, in words.

    Minutes, then hours, up to 12 hours or midnight; then days by the calendar, whole months from
    two months, whole years from two years. A time more than a minute ahead of `now` is said to be
    so: a clock somewhere is wrong, and the reader should know.
    """
    elapsed = now - value
    if elapsed <= -timedelta(minutes=1):
        return "at a time still to come"
    if elapsed < timedelta(minutes=1):
        return "just now"
    if elapsed < timedelta(hours=1):
        return _counted(elapsed // timedelta(minutes=1), "minute")
    then, today = _local(value).date(), _local(now).date()
    if then == today or elapsed < timedelta(hours=12):
        return _counted(elapsed // timedelta(hours=1), "hour")
    days = (today - then).days
    if days == 1:
        return "yesterday"
    months = (today.year - then.year) * 12 + today.month - then.month - (today.day < then.day)
    if months < 2:
        return _counted(days, "day")
    return _counted(months, "month") if months < 24 else _counted(months // 12, "year")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'} ago"


def _local(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a page shows aware datetimes only")
    try:
        return value.astimezone(LONDON)
    except OverflowError:  # 0001-01-01, which some systems send for "not known", has no time in London
        return value
