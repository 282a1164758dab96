"""The page in a browser: silent, offline, by keyboard, on a phone, light and dark."""

import os
import shutil

import pytest

pytestmark = pytest.mark.browser
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
CONTRAST = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((x) => x / 255).map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const back = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const hidden = !walker.currentNode.textContent.trim() || !element.getClientRects().length;
    if (hidden || element.closest("script, style, svg")) continue;
    const ink = light(numbers(getComputedStyle(element).color));
    const paper = light(back(element));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) found.push([element.tagName, element.textContent.slice(0, 40), ratio]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser():
    """Chromium; the test is skipped where there is none."""
    program = os.environ.get("CALWEBB_BROWSER") or next(
        filter(None, map(shutil.which, BROWSERS)), ""
    )
    if not program:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)} (CALWEBB_BROWSER)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        # without a sandbox of its own: containers have none to give to root
        chromium = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(half_way):
    return half_way.report(name="browser.html").as_uri()


@pytest.fixture
def visit(browser, address):
    """Open the page; complaints and requests are collected, and none are expected."""
    contexts, heard = [], []

    def visit(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("dialog", lambda dialog: heard.append(dialog.message))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [text for text in heard if text != address and not text.startswith("data:")] == []


def names(page):
    """Names of the exposures that are shown, in order."""
    return page.locator("#exposure-table tbody tr:visible th").all_inner_texts()


def tab_to(page, selector):
    """Press the tabulator until an element has the focus."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    pytest.fail(f"the tabulator does not reach {selector}")


def test_sorting_by_keyboard(visit):
    page = visit()
    column = "#exposure-table th:nth-child(14)"
    tab_to(page, f"{column} button")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.get_attribute(column, "aria-sort") == "ascending"
    starts = page.locator("#exposure-table tbody td:nth-child(14)").all_inner_texts()
    assert starts[:-1] == sorted(starts[:-1])
    assert starts[-1] == ""
    page.keyboard.press("Space")
    assert page.get_attribute(column, "aria-sort") == "descending"
    assert page.locator("[aria-sort=ascending]").count() == 0
    down = page.locator("#exposure-table tbody td:nth-child(14)").all_inner_texts()
    assert down == [*reversed(starts[:-1]), ""]


def test_filtering_by_keyboard(visit):
    page = visit()
    assert len(names(page)) == 8
    tab_to(page, "input[name=search]")
    page.keyboard.type("F444W o002")
    assert len(names(page)) == 2
    assert page.inner_text(".shown") == "2 of 8 shown"
    tab_to(page, "button[type=reset]")
    page.keyboard.press("Enter")
    page.locator(".shown", has_text="8 of 8 shown").wait_for()
    page.get_by_label("Status").select_option("unfinished")
    assert [name[20:25] for name in names(page)] == ["00003"]


def test_a_link_to_a_row_shows_it(visit):
    page = visit()
    page.get_by_label("Search").fill("nothing of this kind")
    assert names(page) == []
    page.locator("summary", has_text="Members of").first.click()
    link = page.locator(".card li a").first
    link.click()
    page.locator("#exposure-table tr:target").wait_for(state="visible")
    assert len(names(page)) == 8


def test_colours_are_switched_off_and_on(visit):
    page = visit()
    button = page.locator("figure .legend button").first
    shapes = page.locator("figure").first.locator("path.shape.off")
    assert shapes.count() == 0
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    assert shapes.count() > 0
    button.press("Enter")
    assert shapes.count() == 0


def test_skipping_to_the_content(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.locator(".skip").evaluate("e => e.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_is_wider_than_the_screen(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(visit, scheme):
    page = visit(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true })")
    assert page.evaluate(CONTRAST) == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(17, 22, 29)")


def test_without_scripts_it_is_complete(visit):
    page = visit(java_script_enabled=False)
    assert page.locator("#exposure-table tbody tr").count() == 8
    assert page.locator(".filters").is_hidden()
    assert page.locator("thead button").count() == 0


def test_hostile_values_do_nothing(visit):
    page = visit()
    assert page.get_by_text("<script>alert(1)</script>").count() > 0
    assert page.locator("body script").count() == 1


def test_the_browser_runs_no_other_script_and_asks_nobody(browser, address):
    """Even if something got into the page, its policy would stop it."""
    context = browser.new_context()
    page, asked = context.new_page(), []
    page.goto(address)
    page.on("request", lambda request: asked.append(request))
    page.evaluate(
        """() => {
            const script = document.createElement('script')
            script.textContent = 'window.hacked = 1'
            document.body.append(script)
            document.body.insertAdjacentHTML('beforeend', `
                <img src="https://example.org/x" onerror="window.hacked = 2">
                <iframe src="https://example.org/y"></iframe>
                <form id="f" action="https://example.org/z"></form>
                <a id="a" href="javascript:window.hacked = 3">x</a>`)
            document.getElementById('a').click()
            document.getElementById('f').submit()
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    # what the policy stops is told as a request that failed for it
    assert {(request.url, request.failure) for request in asked} <= {
        ("https://example.org/x", "csp")
    }
    assert page.url == address
    context.close()


def test_printing_shows_what_is_folded(visit):
    page = visit()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("nav").is_hidden()
    assert page.locator("details:not([open])").count() == 0
