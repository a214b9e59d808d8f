"""The page in headless Chromium."""

import base64

import pytest

from serving.report.page import page
from tests.browser import chromium
from tests.serving.report import made

pytestmark = pytest.mark.e2e

LONG = "very_long_name_without_a_break_" * 6


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser"), browser="ALL") as started:
        yield started


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page of everything that can be reported, opened from a disk."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    misses = [*made.findings().misses, made.Miss(LONG, "NORMAL", "", 0.9)]
    found = made.findings(misses=misses, model=LONG, data=LONG)
    file.write_text(page(found, made.context()), encoding="utf-8")
    return file.as_uri()


def open_at(browser, address, width: int, *, scheme: str = "light", opened: bool = True) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(address)
    if opened:
        browser.execute_script("document.querySelectorAll('details').forEach(e => e.open = true)")


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
def test_the_page_fits_its_window(browser, address, width):
    open_at(browser, address, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_but_wide_tables_scrolls(browser, address, width):
    open_at(browser, address, width)
    wide = browser.execute_script(
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert wide == []


def test_tables_are_as_wide_as_the_page(browser, address):
    open_at(browser, address, 1280)
    narrow = browser.execute_script(
        "return [...document.querySelectorAll('.scroll table')]"
        ".filter(e => e.offsetWidth < e.parentElement.clientWidth - 1).map(e => e.ariaLabel)"
    )
    assert narrow == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_text_of_plots_can_be_read(browser, address, width):
    open_at(browser, address, width)
    sizes = browser.execute_script(
        "return [...document.querySelectorAll('.plot text')].map(e =>"
        " parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a"
        " * Math.hypot(1, e.getScreenCTM().b / (e.getScreenCTM().a || 1)))"
    )
    assert min(size for size in sizes if size) >= 10


@pytest.mark.parametrize("width", [390, 1280])
def test_the_text_of_a_plot_does_not_overlap(browser, address, width):
    open_at(browser, address, width)
    overlapping = browser.execute_script(
        """
        const found = [];
        for (const plot of document.querySelectorAll('.two .plot')) {
          const texts = [...plot.querySelectorAll('text')].map(e => [e, e.getBoundingClientRect()]);
          for (const [one, a] of texts) for (const [other, b] of texts) {
            const meet = a.left < b.right - 1 && b.left < a.right - 1
              && a.top < b.bottom - 5 && b.top < a.bottom - 5;
            if (one !== other && meet) found.push([one.textContent, other.textContent]);
          }
        }
        return found;
        """
    )
    assert overlapping == []


def test_the_browser_has_nothing_to_complain_of(browser, address):
    open_at(browser, address, 1100)
    assert browser.get_log("browser") == []
    broken = "return [...document.images].filter(image => !image.naturalWidth).length"
    assert browser.execute_script(broken) == 0
    assert browser.execute_script("return document.images.length") > 10


_CONTRAST = """
function light([r, g, b]) {
  const linear = [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}
function numbers(colour) { return colour.match(/[\\d.]+/g).map(Number); }
function ground(element) {
  for (let each = element; each; each = each.parentElement) {
    const colour = numbers(getComputedStyle(each).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
}
const found = [];
for (const element of document.querySelectorAll('body *')) {
  if (![...element.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  if (element.closest('title, style, desc')) continue;
  const style = getComputedStyle(element);
  const inDrawing = element.namespaceURI.endsWith('svg');
  const ink = light(numbers(inDrawing ? style.fill : style.color));
  const paper = light(ground(element));
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  if (ratio < 4.5) found.push([element.outerHTML.slice(0, 80), ratio]);
}
return found;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, address, scheme):
    # WCAG 2.2, success criterion 1.4.3: at least 4.5 to 1.
    open_at(browser, address, 1100, scheme=scheme)
    assert browser.execute_script(_CONTRAST) == []


def test_light_and_dark_differ(browser, address):
    grounds = []
    for scheme in ("light", "dark"):
        open_at(browser, address, 1100, scheme=scheme)
        script = "return getComputedStyle(document.documentElement).backgroundColor"
        grounds.append(browser.execute_script(script))
    assert grounds[0] != grounds[1]


def test_it_prints_on_paper(browser, address):
    open_at(browser, address, 1100)
    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": False}
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    assert printed.startswith(b"%PDF")
    assert len(printed) > 20_000


def test_a_table_can_be_scrolled_by_the_keyboard(browser, address):
    open_at(browser, address, 390)
    wide = browser.execute_script(
        "const table = [...document.querySelectorAll('.scroll')]"
        ".find(e => e.scrollWidth > e.clientWidth); table.focus();"
        "return document.activeElement === table && table.getAttribute('aria-label')"
    )
    assert wide
