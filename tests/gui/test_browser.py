"""The pages in a real Chromium: nothing hostile runs, nothing leaves the machine, everything can be reached."""

import json
import re
from urllib.parse import urlencode

import pytest
from tests.gui import hostile
from tests.gui.conftest import RUNNING

HOSTILE_RESULT = "20260131-100000-<img src=x onerror=window.hurt=1>/offline"
PAGES = (
    "/",
    "/script?name=hostile",
    "/script?name=make-cake",
    "/script?" + urlencode({"name": hostile.NAME}),
    "/runs",
    "/results",
    "/results?color=model&x=model",
    "/results?" + urlencode({"q": hostile.NAMES[0]}),
    "/result?" + urlencode({"id": HOSTILE_RESULT}),
    "/result?" + urlencode({"id": hostile.NAME}),
    "/compare?" + urlencode({"a": HOSTILE_RESULT, "b": "20260131-093001-model-0000/offline"}),
    "/reports",
)


def test_the_names_are_hostile_indeed(chromium):
    page = chromium.new_page()
    page.set_content(f"<p>{hostile.NAMES[0]}</p>")
    page.wait_for_function("window.hurt === 1")
    page.close()


@pytest.mark.parametrize("path", PAGES)
def test_on_a_phone_hostile_names_stay_text_and_nothing_leaves_the_machine(phone, path):
    page = phone.open(path)

    assert page.evaluate("window.hurt") is None
    assert page.locator("main img, main iframe, main svg[onload], main script").count() == 0
    assert page.locator("a[href^='javascript:']").count() == 0
    assert [url for url in phone.asked if not url.startswith((phone.app.address, "data:", "blob:"))] == []
    assert phone.errors == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.body.classList.contains('body--dark')")


def test_a_hostile_name_is_shown_letter_by_letter_and_its_plan_is_drawn(tab):
    page = tab.open("/script?name=hostile")
    assert hostile.NAME in page.locator("#content").inner_text()

    page.get_by_role("button", name="Show the plan").click()
    page.locator(".drawing svg .node").first.wait_for(timeout=60_000)

    assert page.evaluate("window.hurt") is None
    assert page.locator("main img").count() == 0


def test_the_form_makes_the_command_and_the_plan(tab):
    page = tab.open("/script?name=make-cake")
    page.get_by_label("--eggs").fill("3")
    page.get_by_label("--wish").fill('it\'s "done" $HOME')
    page.get_by_label("_layers.…").fill("2")
    page.get_by_role("checkbox", name="_sugar").click()
    page.get_by_label("size").click()
    page.get_by_role("option", name="_large").click()
    shown = page.locator(".command pre")
    page.wait_for_function("document.querySelector('.command pre').textContent.includes('_large')")

    assert shown.inner_text().startswith('cmr "make cake _large ')
    assert "--eggs=3" in shown.inner_text() and "_layers.2" in shown.inner_text() and "_sugar" in shown.inner_text()
    page.get_by_role("button", name="Show the plan").click()
    page.locator(".drawing svg .node").nth(1).wait_for(timeout=60_000)
    assert page.locator("table.grid tr", has_text="get-thing").count() >= 1


def test_a_wrong_value_is_named_and_not_planned(tab):
    page = tab.open("/script?name=make-cake")
    page.get_by_label("--eggs").fill("many")

    page.get_by_text("--eggs must be an integer").wait_for()
    assert page.get_by_role("button", name="Show the plan").is_disabled()


def test_scripts_are_found_by_words(tab):
    page = tab.open("/")
    assert page.locator(".cards li").count() == 3

    page.get_by_label("Words of tags").fill("cake")
    page.get_by_text("1 of 3 scripts").wait_for()
    page.get_by_role("link", name="make-cake").click()
    page.get_by_role("heading", name="make-cake").wait_for()


def test_a_run_is_seen_to_end(tab):
    going = tab.app.results / RUNNING / "offline" / "performance" / "run_1"
    page = tab.open("/runs")
    part = page.locator("section", has_text=RUNNING)
    assert "running" in part.inner_text()

    (going / "outcome.json").write_text(json.dumps({"status": "ok", "validity": {"valid": True, "reasons": []}}))
    part.locator(".badge.done").wait_for(timeout=20_000)
    (going / "outcome.json").unlink()


def test_results_are_filtered_turned_and_compared(tab):
    page = tab.open("/results")
    page.get_by_text("1 – 25 of 31").wait_for()
    page.get_by_role("button", name="On").click()
    page.get_by_text("26 – 31 of 31").wait_for()

    page = tab.open("/results?model=efficientnet-lite0")
    page.get_by_text("1 – 25 of 30").wait_for()
    assert page.locator(".js-plotly-plot .point").count() == 30
    boxes = page.get_by_role("checkbox", name=re.compile("^Choose"))
    boxes.nth(0).click()
    boxes.nth(1).click()
    page.get_by_role("link", name="Compare the two").click()
    page.get_by_text(re.compile("(The second is .*|No difference) beyond noise")).wait_for()


def test_files_that_are_no_results_are_named(tab):
    page = tab.open("/results")

    assert "broken" in page.get_by_role("region", name="files that hold no readable result").inner_text()


def test_a_report_is_written_only_with_the_token(tab):
    report = tab.app.results / "report.html"
    page = tab.open("/reports")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Write the report").click()
    page.get_by_text("that is not the token").wait_for()
    assert not report.exists()

    page.get_by_label("Token").fill(tab.app.token)
    page.get_by_role("button", name="Write the report").click()
    page.locator(".cards a").wait_for(timeout=60_000)
    assert report.is_file()
    opened = tab.context.new_page()
    opened.goto(tab.app.address + page.locator(".cards a").get_attribute("href"))
    assert opened.evaluate("window.hurt") is None
    assert opened.evaluate("window.origin") == "null"
    report.unlink()


@pytest.mark.parametrize("path", ["/script?name=make-cake", "/results"])
def test_everything_has_a_name_and_the_keyboard_gets_through(tab, path):
    page = tab.open(path)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#content input, #content button, header button, a, [role=checkbox]')]
        .filter(e => e.offsetParent && !(e.ariaLabel || e.getAttribute('aria-labelledby') || e.textContent.trim()
                || e.closest('label')?.textContent.trim() || e.labels?.length))
        .map(e => e.outerHTML.slice(0, 200))"""
    )
    assert nameless == []

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    seen = []
    for _ in range(150):
        page.keyboard.press("Tab")
        # past the last element the focus leaves the page, or starts again
        if page.evaluate("document.activeElement === document.body || document.activeElement.className === 'skip'"):
            break
        seen.append(page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
    else:
        pytest.fail(f"the focus never left: {seen[-3:]}")
    assert len(seen) > 5
