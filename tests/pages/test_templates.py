"""What every template keeps to, checked on the facts it is given, without a database or a browser."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import jinja2
import pytest

from joinery.apps.record.facts import Banner, FoundPerson, Item, Section, Stated, TimelineLine
from joinery.site.jinja import environment

PACKAGE = Path(__file__).parents[2] / "joinery"
FOLDERS = (PACKAGE / "site/templates", PACKAGE / "apps/record/templates", PACKAGE / "apps/care/templates")
TEMPLATES = sorted(path for folder in FOLDERS for path in folder.rglob("*.*"))
STYLES = sorted((PACKAGE / "site/theme/static/joinery").glob("*.css"))
NOW = datetime(2026, 11, 21, 14, 42, tzinfo=UTC)


@pytest.fixture(scope="module")
def env():
    env = environment(loader=jinja2.FileSystemLoader(FOLDERS))
    env.globals.update(static=lambda path: f"/static/{path}", url=lambda name, *_, **__: f"/{name}")
    return env


def render(env, source, **context):
    return env.from_string(source).render(now=NOW, **context)


def classes(html):
    return set(" ".join(re.findall(r'class="([^"]*)"', html)).split())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_needs_no_script_no_inline_style_and_no_other_site(env, path):
    source = path.read_text()
    wrong = re.search(r"<script|javascript:|<style|\sstyle=|\son\w+=|https?://", source)
    # The one script, which passkeys need; which pages may run it stands in joinery/site/urls.py.
    assert not wrong or path.name == "passkey_script.jinja"
    env.compile(source)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_a_style_sheet_is_small_and_loads_nothing_from_elsewhere(path):
    css = path.read_text()
    assert len(css) < 400_000
    assert "sourceMappingURL" not in css
    for address in re.findall(r"url\([\"']?([^\"')]+)", css):
        assert (path.parent / address).is_file()


@pytest.mark.parametrize("context", [{}, {"reference": "J7K2-9QXM"}], ids=["nothing", "reference"])
def test_the_page_for_our_own_faults_needs_no_context(env, context):
    html = env.get_template("500.html").render(context)
    assert "Sorry, something went wrong" in html
    assert ("J7K2-9QXM" in html) == bool(context)


STATES = ("present", "asserted_none", "none_recorded", "not_received", "withheld")
SAFETY = '{% from "record/macros.jinja" import safety with context %}{{ safety(section, "warning") }}'


def section(state, also_withheld=False):
    said = (Stated("Chelmer Road Surgery", NOW, "day"),)
    items = (Item("Penicillin", said),) if state == "present" else ()
    statements = said if state in ("asserted_none", "none_recorded") else ()
    return Section("Allergies", state, items, statements, also_withheld)


def test_what_is_known_and_the_four_kinds_of_nothing_differ_in_shape_edge_and_words(env):
    pages = [render(env, SAFETY, section=section(state)) for state in STATES]
    for part in (r"app-safety--[\w-]+", r"<svg.*?</svg>", r"<strong>.*?</strong>"):
        assert len({re.search(part, page)[0] for page in pages}) == len(STATES)


def test_an_allergy_beside_a_source_that_states_none_is_shown_as_a_disagreement(env):
    none = (Stated("Harbour Street Practice", NOW, "none"),)
    html = render(env, SAFETY, section=replace(section("present"), statements=none))
    assert "Penicillin" in html
    assert "Harbour Street Practice states no known allergies, received 21 November 2026" in html


@pytest.mark.parametrize("state", ["present", "asserted_none", "none_recorded"])
def test_what_is_withheld_beside_what_is_shown_is_said(env, state):
    assert "Some allergies are withheld" in render(env, SAFETY, section=section(state, also_withheld=True))


LINE = TimelineLine(
    entry_id=1,
    at=NOW,
    precision="minute",
    until_at=None,
    kind_text="Problem",
    title="Secret <title>",
    detail="Secret detail",
    sector="health",
    source_name="Secret clinic",
    received_at=NOW,
    withheld=False,
)
TIMELINE = '{% from "record/macros.jinja" import timeline with context %}{{ timeline(lines, "p1") }}'


def test_a_line_shows_where_it_came_from_and_how_long_ago(env):
    html = render(env, TIMELINE, lines=(LINE,))
    assert "Secret &lt;title&gt;" in html
    assert re.search(r"from <a [^>]*>Secret clinic.*</a>, received just now", html)


def test_a_withheld_line_says_so_and_who_recorded_it_and_nothing_of_what_it_holds(env):
    html = render(env, TIMELINE, lines=(replace(LINE, source_name="Vale clinic", withheld=True),))
    assert "Withheld" in html
    assert "Recorded by Vale clinic" in html and "ask to see it" in html
    assert "Secret" not in html
    assert "Problem" not in html
    assert "app-line--health" not in html


def test_a_line_whose_source_would_tell_where_somebody_is_names_nobody_to_ask(env):
    html = render(env, TIMELINE, lines=(replace(LINE, source_name="", withheld=True),))
    assert "Withheld" in html and "It would tell where the person is" in html
    assert "ask to see it" not in html


def test_a_date_is_shown_once_for_the_timed_lines_of_one_day(env):
    day_before = NOW.replace(day=20)
    lines = (LINE, LINE, replace(LINE, precision="day"), replace(LINE, at=day_before))
    html = render(env, TIMELINE, lines=lines)
    assert html.count("app-line__date") == 3
    assert html.count("app-line__clock") == 3


def test_a_line_that_lasts_says_until_when(env):
    assert "Until" not in render(env, TIMELINE, lines=(replace(LINE, until_at=NOW),))
    until = NOW.replace(month=12)
    assert "Until 21 December 2026" in render(env, TIMELINE, lines=(replace(LINE, until_at=until),))


BANNER = Banner(
    person_id="7Q2M8XKD",
    name="OKAFOR, Samuel",
    title="Mr",
    preferred_name=None,
    birth_date=None,
    age_years=None,
    death_date=None,
    dead=False,
    gender_text="Male",
    nhs_number=None,
    address_lines=("1 Harbour Street",),
    address_withheld=True,
)
PERSON = '{% from "record/macros.jinja" import person_banner with context %}{{ person_banner(banner) }}'


def test_the_banner_says_what_is_not_known_and_what_is_withheld(env):
    html = render(env, PERSON, banner=BANNER)
    assert html.count("Not known") == 2
    assert "OKAFOR, Samuel (Mr)" in html
    assert "Harbour" not in html
    assert "Died" not in html


def test_the_banner_says_that_a_person_has_died_even_when_the_day_is_not_known(env):
    assert "Date not known" in render(env, PERSON, banner=replace(BANNER, dead=True))
    died = replace(BANNER, dead=True, death_date=date(2026, 11, 2), age_years=85)
    assert "2 November 2026 (aged 85)" in render(env, PERSON, banner=died)


FORM = {"birth_day": "31", "birth_month": "2", "birth_year": "1941"}
ERRORS = [{"field": "birth_date", "message": "Not a date"}, {"field": "nhs_number", "message": "Wrong"}]
OURS = '{% from "macros.jinja" import date_field, tag, text_field %}'
PAIRS = {
    "text": (
        '{{ text_field("nhs_number", "NHS number", "", errors, hint="10 digits", width=10) }}',
        '{% from "nhsuk/components/input/macro.jinja" import input %}{{ input({"id": "a", "label": "NHS number",'
        ' "hint": "10 digits", "errorMessage": "Wrong", "width": 10}) }}',
    ),
    "date": (
        '{{ date_field("birth", "Date of birth", form, errors) }}',
        '{% from "nhsuk/components/date-input/macro.jinja" import dateInput %}{{ dateInput({"id": "birth",'
        ' "fieldset": {"legend": "Date of birth"}, "errorMessage": "Not a date"}) }}',
    ),
    "tag": (
        '{{ tag("Late", "yellow") }}',
        '{% from "nhsuk/components/tag/macro.jinja" import tag as theirs %}{{ theirs({"text": "Late", "colour":'
        ' "yellow"}) }}',
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_our_quick_macros_give_the_classes_of_the_design_system(env, name):
    ours, theirs = (classes(render(env, OURS + source, form=FORM, errors=ERRORS)) for source in PAIRS[name])
    assert ours == theirs


def test_an_error_is_tied_to_its_field_and_to_the_summary(env):
    source = OURS + '{% from "macros.jinja" import error_summary %}{{ error_summary(errors) }}'
    html = render(env, source + PAIRS["text"][0], errors=ERRORS)
    assert 'href="#nhs_number"' in html
    assert 'href="#birth_day"' in html
    assert 'aria-describedby="nhs_number-hint nhs_number-error"' in html


def test_a_found_person_is_linked_by_an_opaque_id_only(env):
    person = FoundPerson(
        person_id="7Q2M8XKD",
        name="SMITH, Margaret (Mrs)",
        birth_date=date(1941, 3, 3),
        age_years=85,
        nhs_number="9990001111",
        address="14 Chelmer Road",
        gender_text="Female",
    )
    env.globals["url"] = lambda name, *_, **kwargs: f"/{name}/{'/'.join(kwargs.values())}"
    html = env.get_template("record/find.jinja").render(
        form=dict.fromkeys(("nhs_number", "family_name", "given_name", *FORM), ""),
        errors=[],
        results=[person],
        similar=[],
        more=False,
        user_name="Priya Shah",
        user_role="social worker",
        user_organisation="Wexcombe Council",
        csrf_input="",
    )
    assert "1 person found" in html
    assert not [link for link in re.findall(r'href="([^"]*)"', html) if "SMITH" in link or "999" in link]
