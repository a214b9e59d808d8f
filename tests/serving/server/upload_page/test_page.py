"""The page in a browser: headless Chromium on a server of a small model."""

import base64
import re
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from serving.client import MAXIMUM_IMAGE
from serving.images import decode_check, reasons
from serving.predict.files import image_of
from tests.browser import chromium
from tests.components.convert.damage import png_of_zeros
from tests.conftest import SHARED
from tests.images import FORMATS, encode, grey_pixels
from tests.serving.images.encoding.samples import FILES
from tests.serving.running import running
from tests.serving.server.upload_page.test_page_handlers import POLICY
from transform_module import contract as features

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
By = pytest.importorskip("selenium.webdriver.common.by").By
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

pytestmark = pytest.mark.e2e

RESPONSE_SECONDS = 300
WINDOW = (1100, 800)
OPTIONS = ("--allow-unverified", "--poll-seconds", "0.2")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The address of a server whose model explains nothing."""
    from tests.serving.saved import save

    model = tmp_path_factory.mktemp("plain") / "chest_xray"
    save(model / "17")
    with running(model, *OPTIONS) as server:
        yield server.rest


@pytest.fixture(scope="module")
def explaining(tmp_path_factory):
    """The address of a server whose model has the signature ``explain``."""
    from tests.serving.saved import save_explaining

    model = tmp_path_factory.mktemp("explaining") / "chest_xray"
    save_explaining(model / "17")
    with running(model, *OPTIONS) as server:
        yield server.rest


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser"), browser="ALL", performance="ALL") as started:
        yield started


class Page:
    """What a user does with the page, and sees."""

    def __init__(self, browser) -> None:
        self.browser = browser

    def open(self, address: str) -> "Page":
        self.console()  # what stands there is of the page before
        self.resize(*WINDOW)
        self.prefer("prefers-color-scheme", "light")
        self.browser.get(address)
        self.until(lambda: "version" in self.one("#status").text)
        return self

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, feature: str, value: str) -> None:
        features = {"features": [{"name": feature, "value": value}]}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", features)

    def one(self, selector: str):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def script(self, script: str, *arguments):
        return self.browser.execute_script(script, *arguments)

    def until(self, condition) -> None:
        deadline = time.monotonic() + RESPONSE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.one("body").text
            time.sleep(0.05)

    def choose(self, *paths: Path) -> list["Row"]:
        self.one("#files").send_keys("\n".join(map(str, paths)))
        return self.rows()

    def rows(self) -> list["Row"]:
        """The rows, once there is nothing more to come."""
        self.until(lambda: self.script("return !document.querySelector('.row[aria-busy=true]')"))
        elements = self.browser.find_elements(By.CSS_SELECTOR, ".row")
        return [Row(element) for element in elements]

    def drop(self, files: dict[str, bytes], event: str = "drop") -> None:
        """Drops or pastes files."""
        self.script(
            """
            const transfer = new DataTransfer();
            for (const [name, content] of Object.entries(arguments[0])) {
              const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
              transfer.items.add(new File([bytes], name));
            }
            const made = arguments[1] === "paste"
              ? new ClipboardEvent("paste", { bubbles: true, clipboardData: transfer })
              : new DragEvent(arguments[1], { bubbles: true, dataTransfer: transfer });
            document.querySelector(".drop").dispatchEvent(made);
            """,
            {name: base64.b64encode(content).decode() for name, content in files.items()},
            event,
        )

    def press(self, *keys: str) -> None:
        webdriver.ActionChains(self.browser).send_keys(*keys).perform()

    def focused(self) -> str:
        return self.script("return document.activeElement.id || document.activeElement.className")

    def console(self) -> list[str]:
        return [each["message"] for each in self.browser.get_log("browser")]


class Row:
    """One file's row."""

    def __init__(self, element) -> None:
        self.element = element

    def one(self, selector: str):
        return self.element.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.one(selector).text

    @property
    def state(self) -> str:
        return self.element.get_attribute("data-state")

    @property
    def probability(self) -> float:
        return float(self.one(".probability").get_attribute("value"))


def grey(value: int, width: int = 60, height: int = 40) -> bytes:
    return encode(np.full((height, width), value, np.uint8), "png-grey")


@pytest.fixture
def images(tmp_path):
    """A normal image, one with pneumonia, and one that is broken."""
    contents = {"normal.png": grey(51), "pneumonia.png": grey(204), "broken.jpeg": b"no image"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


@pytest.fixture
def page(browser, plain):
    return Page(browser).open(plain)


@pytest.fixture
def explained(browser, explaining):
    return Page(browser).open(explaining)


def predicted(address: str, path: Path) -> dict:
    instance = {"b64": base64.b64encode(path.read_bytes()).decode()}
    url = f"{address}/v1/models/chest_xray:predict"
    with httpx.Client(trust_env=False) as client:
        return client.post(url, json={"instances": [instance]}).json()["predictions"][0]


def test_each_chosen_image_gets_its_prediction(page, plain, images):
    rows = page.choose(*images)
    assert [row.text(".name") for row in rows] == [path.name for path in images]
    for row, path in zip(rows[:2], images, strict=False):
        prediction = predicted(plain, path)
        assert row.state == "predicted"
        assert row.probability == prediction[features.PROBABILITY]
        assert row.text(".probability") == f"{prediction[features.PROBABILITY]:.4f}"
        assert row.text(".label") == prediction[features.PREDICTED_LABEL]
        assert row.text(".details").endswith("ms · version 17")
        assert row.one(".image canvas").is_displayed()
    assert [row.text(".label") for row in rows[:2]] == list(features.LABELS)
    assert page.one("#summary").text == "3 files: 1 NORMAL, 1 PNEUMONIA, 1 invalid"


def test_a_broken_file_is_reported_in_plain_words(page, images):
    broken = page.choose(*images)[2]
    assert broken.state == "invalid"
    assert broken.text(".message") == "This file is invalid: text file."
    assert broken.one(".image svg").is_displayed()
    for selector in (".prediction", ".label", ".retry", ".explain", ".image canvas"):
        assert not broken.one(selector).is_displayed()


def refused() -> dict[str, bytes]:
    """What the model refuses: of every kind, cut anywhere, and what was really found."""
    jpeg, png = encode(grey_pixels(44, 40), "jpeg-rgb"), encode(grey_pixels(44, 40), "png-grey")
    broken = bytearray(png)
    broken[len(png) // 2] ^= 0xFF
    kinds = {
        "empty": b"",
        "table": b"patient,label\n1,NORMAL\n",
        "umlauts": "Röntgenbild ".encode() * 200,
        "cut umlaut": "Röntgenbild ".encode()[:2],
        "latin-1": "Röntgenbild ".encode("latin-1"),
        "html": b"\xef\xbb\xbf<html>",
        "dicom": bytes(128) + b"DICM" + bytes(500),
        "webp": b"RIFF\x10\0\0\0WEBPVP8 ",
        "tiff": b"II*\0" + bytes(99),
        "tiff, other order": b"MM\0*" + bytes(99),
        "heic": b"\0\0\0\x18ftypheic",
        "jpeg 2000": b"\0\0\0\x0cjP  \r\n",
        "jpeg 2000 stream": b"\xff\x4f\xff\x51\0",
        "pdf": b"%PDF-1.7\n\0",
        "zip": b"PK\x03\x04\0\0",
        "gzip": b"\x1f\x8b\x08\0",
        "zeros": bytes(5000),
        "noise": b"\xff\xfe\xfd" * 20,
        "jpeg of markers": b"\xff\xd8\xff\xd9",
        "damaged png": bytes(broken),
        "damaged jpeg": jpeg[:20] + bytes(20) + jpeg[40:],
        "bomb": png_of_zeros(20_000, 20_000),
    }
    for name in FORMATS:
        small = encode(grey_pixels(31, 100), name)
        whole = encode(grey_pixels(44, 40), name)
        kinds |= {f"small {name}": small}
        kinds |= {f"{name} cut at {at}": whole[:at] for at in (2, 9, 20, 60, len(whole) - 4)}
    found = [*SHARED.glob("odd_files/*"), *SHARED.glob("found/16_formats/**/*.*")]
    small = [path for path in sorted(found) if path.stat().st_size < 2**20]
    return kinds | {path.name: path.read_bytes() for path in small}


def test_the_reason_is_the_one_of_the_command(page):
    contents = refused()
    images = {name: image_of(content) for name, content in contents.items()}
    expected = {
        name: found if isinstance(found, str) else decode_check.check(found)
        for name, found in images.items()
    }
    expected = {name: words for name, words in expected.items() if isinstance(words, str)}
    # The browser decodes the first, and the model the second: its reason is never queried.
    for name in ("03_arithmetic.jpg", "05b_cmyk_noadobe_marker.jpg"):
        expected.pop(name, None)
    assert len(set(expected.values())) >= 15
    printed = page.browser.execute_async_script(
        """
        const [contents, done] = arguments;
        const { encoded, Invalid, reason } = await import("/page/reasons.js");
        const send = async (path, body) => (await fetch(path, { method: "POST", body })).blob();
        const { limits } = await (await fetch("/page/model.json")).json();
        const reasons = {};
        for (const [name, content] of Object.entries(contents)) {
          const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
          try {
            const file = await encoded(new File([bytes], name), limits, send);
            reasons[name] = await reason(file, limits);
          } catch (problem) {
            reasons[name] = problem instanceof Invalid ? problem.message : String(problem);
          }
        }
        done(reasons);
        """,
        {name: base64.b64encode(contents[name]).decode() for name in expected},
    )
    assert printed == expected


@pytest.mark.parametrize("name", ["tiff", "dicom"])
def test_an_image_that_the_browser_cannot_decode_is_predicted_and_shown(page, tmp_path, name):
    pixels = grey_pixels(44, 40)
    (tmp_path / "a").write_bytes(FILES[name](pixels))
    (tmp_path / "b.png").write_bytes(encode(pixels, "png-grey"))
    (tmp_path / "c").write_bytes(FILES[name](pixels)[:-60])
    found, expected, damaged = page.choose(*sorted(tmp_path.iterdir()))
    assert found.state == "predicted"
    assert found.probability == expected.probability
    assert found.one(".image canvas").is_displayed()
    assert damaged.state == "invalid"
    assert re.search("damaged|truncated", damaged.text(".message"))


def test_the_mark_is_at_the_threshold(page, images):
    page.choose(*images)
    assert "threshold 0.5" in page.one("#legend").text
    place = """
        const bar = document.querySelector(".bar");
        const mark = getComputedStyle(bar, "::after");
        return (parseFloat(mark.left) + parseFloat(mark.width) / 2) / bar.clientWidth;
    """
    assert page.script(place) == pytest.approx(0.5, abs=0.01)


def test_the_name_is_never_sent(page, images):
    page.browser.get_log("performance")
    page.choose(images[0].rename(images[0].with_name("Jane-Miller.png")))
    sent = "".join(each["message"] for each in page.browser.get_log("performance"))
    assert ":predict" in sent
    assert "Miller" not in sent


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_images_are_dropped_and_pasted(page, event):
    page.drop({"a.png": grey(255), "b.png": grey(0)}, event)
    assert [(row.text(".name"), row.probability) for row in page.rows()] == [
        ("a.png", 1),
        ("b.png", 0),
    ]


def test_what_comes_later_is_above(page, images):
    page.choose(images[0])
    page.drop({"later.png": grey(255)})
    assert [row.text(".name") for row in page.rows()] == ["later.png", images[0].name]


def test_hundreds_are_sent_four_at_a_time(page):
    page.script(
        """
        const real = window.fetch;
        window.most = 0;
        let now = 0;
        window.fetch = async (...given) => {
          window.most = Math.max(window.most, ++now);
          try { return await real(...given); } finally { now -= 1; }
        };
        """
    )
    page.drop({f"{index}.png": grey(index) for index in range(250)})
    rows = page.script(
        """
        return Array.from(document.querySelectorAll(".row"), (row) => row.dataset.state)
        """
    )
    assert len(rows) == 250
    assert "waiting" in rows  # the page is not held up
    page.rows()
    assert page.one("#summary").text.startswith("250 files: ")
    assert page.script("return window.most") in (4, 5)  # and the version's refresh


def test_all_rows_are_removed(page, images):
    page.choose(*images)
    page.one("#clear").click()
    assert page.rows() == []
    assert not page.one("#results").is_displayed()
    assert page.focused() == "files"


def test_the_keyboard_is_enough(explained, images):
    page = explained
    page.press(Keys.TAB)
    assert page.focused() == "files"
    assert page.one(".drop").value_of_css_property("outline-style") == "solid"
    page.script(
        """
        document.getElementById("files").addEventListener("click", (event) => {
          event.preventDefault();  // a dialog of the system cannot be driven
          window.opened = true;
        }, { once: true });
        """
    )
    page.press(Keys.SPACE)
    assert page.script("return window.opened")
    page.browser.switch_to.active_element.send_keys(str(images[1]))
    (row,) = page.rows()
    page.press(Keys.TAB)
    assert page.focused() == "clear"
    page.press(Keys.TAB)
    assert page.focused() == "explain"
    assert row.one(".explain").value_of_css_property("outline-style") == "solid"
    page.press(Keys.ENTER)
    page.until(lambda: row.one("figure").is_displayed())
    assert row.one(".explain").get_attribute("aria-expanded") == "true"
    page.press(Keys.SPACE)
    assert not row.one("figure").is_displayed()


def test_predictions_are_read_out(page, images):
    page.choose(*images)
    assert page.one("#rows").get_attribute("aria-live") == "polite"
    assert page.one("#status").get_attribute("role") == "status"


def test_a_phone_needs_no_scrolling_sideways(explained, tmp_path, images):
    page = explained
    page.resize(320, 640)
    long = tmp_path / f"{'long' * 50}.png"
    long.write_bytes(grey(255))
    rows = page.choose(long, *images)
    rows[0].one(".explain").click()
    page.until(lambda: rows[0].one("figure").is_displayed())
    assert page.script("return document.documentElement.scrollWidth") <= 320
    assert page.script("return document.documentElement.clientWidth") == 320


# The least ratio of a text's colour to what is behind it: WCAG 2.2, 1.4.3, level AA.
LEAST_CONTRAST = 4.5
CONTRASTS = """
    const channels = (text) => text.match(/[\\d.]+/g).map(Number);
    const luminance = (colour) => {
      const [r, g, b] = colour.slice(0, 3).map((each) => {
        const part = each / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (let each = element; each; each = each.parentElement) {
        const colour = channels(getComputedStyle(each).backgroundColor);
        if (colour.length === 3 || colour[3] === 1) return colour;
      }
    };
    const texts = Array.from(document.querySelectorAll("body *")).filter((element) =>
      element.checkVisibility() && Array.from(element.childNodes).some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()));
    return texts.map((element) => {
      const pair = [channels(getComputedStyle(element).color), behind(element)].map(luminance);
      return [element.textContent, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)];
    });
"""


@pytest.mark.parametrize(("scheme", "is_light"), [("light", True), ("dark", False)])
def test_dark_and_light_are_legible(explained, images, scheme, is_light):
    page = explained
    page.prefer("prefers-color-scheme", scheme)
    rows = page.choose(*images)
    rows[0].one(".explain").click()
    page.until(lambda: rows[0].one("figure").is_displayed())
    ground = page.script("return getComputedStyle(document.documentElement).backgroundColor")
    assert (int(ground.strip("rgb()").split(",")[0]) > 128) == is_light
    page.script("document.getAnimations().forEach((each) => each.finish())")
    contrasts = page.script(CONTRASTS)
    assert len(contrasts) > 15
    assert {text: ratio for text, ratio in contrasts if ratio < LEAST_CONTRAST} == {}


def test_reduced_motion_is_respected(page, images):
    page.prefer("prefers-reduced-motion", "reduce")
    page.choose(*images)
    moving = "return getComputedStyle(document.querySelector('.drop')).transitionDuration"
    assert page.script(moving) == "0s"
    page.prefer("prefers-reduced-motion", "no-preference")
    assert page.script(moving) != "0s"


def test_nothing_comes_from_elsewhere_and_the_console_is_silent(explained, explaining, images):
    page = explained
    rows = page.choose(*images)
    rows[0].one(".explain").click()
    page.until(lambda: rows[0].one("figure").is_displayed())
    entries = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    names = page.script(entries)
    assert {name.removeprefix(explaining) for name in names if not name.startswith("data:")} == {
        "/page/page.css",
        "/page/page.js",
        "/page/reasons.js",
        "/page/model.json",
        "/page/format",
        "/v1/models/chest_xray/versions/17:predict",
    }
    assert page.console() == []


def test_the_policy_is_exact_and_stops_what_is_inline(page, plain):
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{plain}/").headers["Content-Security-Policy"] == POLICY
    page.script(
        """
        const script = document.createElement("script");
        script.textContent = "window.inline = true";
        document.body.append(script);
        """
    )
    assert page.script("return window.inline") is None
    assert "Content Security Policy" in page.console()[0]


def test_a_model_without_explanations_shows_nothing_of_them(page, images):
    for row in page.choose(*images):
        assert not row.one(".explain").is_displayed()
        assert not row.one("figure").is_displayed()


def pixel(page, row, x: float) -> list[int]:
    """The colour in the middle of the heat map's height, at a part of its width."""
    return page.script(
        """
        const [canvas, x] = arguments;
        const context = canvas.getContext("2d");
        return Array.from(context.getImageData(x * canvas.width, canvas.height / 2, 1, 1).data);
        """,
        row.one(".heat"),
        x,
    )


def test_a_heat_map_lies_over_the_image(explained, tmp_path):
    path = tmp_path / "black.png"
    path.write_bytes(grey(0, 300, 200))
    (row,) = explained.choose(path)
    row.one(".explain").click()
    explained.until(lambda: row.one("figure").is_displayed())
    canvas = row.one(".heat")
    assert (canvas.get_property("width"), canvas.get_property("height")) == (300, 200)
    cold, hot = pixel(explained, row, 0.01), pixel(explained, row, 0.99)
    assert max(cold[:3]) < 10
    assert min(hot[:2]) > 190
    assert hot[2] < hot[0]
    row.one(".explain").click()
    assert not row.one("figure").is_displayed()


def test_an_image_unlike_the_training_has_a_warning_and_no_label_in_the_summary(explained):
    explained.drop({"black.png": grey(0), "grey.png": grey(128)})
    black, other = explained.rows()
    assert (black.state, other.state) == ("predicted", "predicted")
    assert "do not rely on the prediction" in black.text(".warning")
    assert not other.one(".warning").is_displayed()
    assert explained.one("#summary").text == "2 files: 1 PNEUMONIA, 1 out of domain"


def test_an_image_for_review_has_a_warning_and_no_label_in_the_summary(explained):
    explained.drop({"middle.png": grey(120), "white.png": grey(255), "black.png": grey(0)})
    rows = {row.text(".name"): row for row in explained.rows()}
    assert "For review" in rows["middle.png"].text(".warning")
    assert "Out of domain" in rows["black.png"].text(".warning")
    assert not rows["white.png"].one(".warning").is_displayed()
    assert explained.one("#summary").text == ("3 files: 1 PNEUMONIA, 1 for review, 1 out of domain")


def test_a_warning_stays_when_the_heat_map_fails(explained):
    explained.drop({"black.png": grey(0)})
    (row,) = explained.rows()
    explained.script("window.fetch = async () => Response.json({}, { status: 503 })")
    row.one(".explain").click()
    explained.until(lambda: "not ready" in row.text(".message"))
    assert "do not rely on the prediction" in row.text(".warning")


# Texts of which some point is not what is seen there, in all that is shown; each line of a text is
# looked at in five places.
COVERED = """
    const texts = Array.from(document.querySelectorAll("body *")).filter((element) =>
      element.checkVisibility() && Array.from(element.childNodes).some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()));
    const isCovered = (element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      return Array.from(range.getClientRects(), (line) => [0.02, 0.25, 0.5, 0.75, 0.98].map(
        (part) => document.elementFromPoint(
          line.left + part * line.width, line.top + line.height / 2))
      ).flat().some((seen) => !(element === seen || element.contains(seen)));
    };
    return texts.filter((element) => !element.closest(".drop") && isCovered(element))
      .map((element) => `${element.className}: ${element.textContent}`);
"""


@pytest.mark.parametrize("width", [320, 390, 700, 1100])
def test_nothing_lies_over_a_text(explained, width):
    page = explained
    page.resize(width, 6000)  # nothing is out of sight, where nothing is drawn
    page.drop(
        {
            "in_domain.png": grey(204, 300, 200),
            f"{'long' * 50}.png": grey(0, 200, 300),
            "heat_map_fails.png": grey(0),
            "invalid.dcm": bytes(128) + b"DICM",
        }
    )
    rows = {row.text(".name")[:4]: row for row in page.rows()}
    for name in ("in_d", "long"):
        rows[name].one(".explain").click()
        page.until(rows[name].one("figure").is_displayed)
    page.script("window.fetch = async () => Response.json({}, { status: 503 })")
    rows["heat"].one(".explain").click()
    page.until(rows["heat"].one(".message").is_displayed)
    page.drop({"failed.png": grey(0)})
    page.rows()
    page.script("window.fetch = () => new Promise(() => {})")
    page.drop({f"{index}_asking_or_waiting.png": grey(0) for index in range(6)})
    states = "return Array.from(document.querySelectorAll('.row'), (row) => row.dataset.state)"
    assert set(page.script(states)) == {"predicted", "invalid", "failed", "predicting", "waiting"}
    page.until(lambda: page.script(COVERED) == [])  # once the new rows are drawn
    figures = "document.querySelectorAll('figure').forEach((each) => {each.style.gridArea = '%s'})"
    page.script(figures % "warning")
    assert "do not rely on the prediction" in "".join(
        page.script(COVERED)
    )  # what is covered is found


def test_a_heat_map_is_not_offered_for_a_broken_file(explained, images):
    assert not explained.choose(images[2])[0].one(".explain").is_displayed()


def test_a_turned_jpeg_is_shown_upright_as_the_model_sees_it(page, tmp_path):
    from PIL import Image

    pixels = Image.fromarray(np.repeat([[255, 0]], 50, 1).repeat(50, 0).astype(np.uint8))
    turned = pixels.getexif()
    turned[0x0112] = 6  # a quarter to the right
    pixels.save(tmp_path / "turned.jpeg", exif=turned)
    (row,) = page.choose(tmp_path / "turned.jpeg")
    canvas = row.one(".image canvas")
    assert canvas.get_property("height") == 2 * canvas.get_property("width")


@pytest.mark.parametrize(
    ("status", "printed"),
    [
        (400, "The server failed: TOLD"),
        (413, "too large for the server"),
        (429, "is busy"),
        (500, "The server failed: TOLD"),
        (503, "not ready"),
        (504, "took too long"),
    ],
)
def test_an_error_is_reported_with_what_to_do_and_can_be_retried(page, images, status, printed):
    page.script(
        """
        const real = window.fetch;
        window.fetch = async (path, ...given) => {
          if (!path.includes(":predict")) return real(path, ...given);
          window.fetch = real;
          return Response.json({ error: "TOLD" }, { status: arguments[0] });
        };
        """,
        status,
    )
    (row,) = page.choose(images[0])
    assert row.state == "failed"
    assert printed in row.text(".message")
    assert not row.one(".prediction").is_displayed()
    assert "1 failed" in page.one("#summary").text
    row.one(".retry").click()
    (row,) = page.rows()
    assert row.state == "predicted"
    assert not row.one(".retry").is_displayed()


@pytest.mark.parametrize(
    "body",
    [
        "<h1>Proxy</h1>",
        "null",
        '{"predictions": []}',
        '{"predictions": [{"probability": NaN, "label": "NORMAL", "valid": true}]}',
        '{"predictions": [{"probability": 2, "label": "NORMAL", "valid": true}]}',
        '{"predictions": [{"probability": 0.5, "label": {}, "valid": true}]}',
        '{"predictions": [0.5]}',
    ],
)
def test_a_response_that_no_model_gives_is_reported(page, body):
    page.script(
        """
        const [body] = arguments;
        const real = window.fetch;
        window.fetch = async (path, ...given) =>
          path.includes(":predict") ? new Response(body) : real(path, ...given);
        """,
        body,
    )
    page.drop({"a.png": grey(0)})
    (row,) = page.rows()
    assert row.state == "failed"
    assert row.text(".message").startswith("The response of the server cannot be read.")


def test_a_name_is_text_and_a_drawing_runs_no_script(page):
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran = 1"><script/></svg>'
    names = ["<img src=x onerror='window.ran = 1'>.png", "a.svg"]
    page.drop(dict.fromkeys(names, drawing))
    rows = page.rows()
    assert [row.text(".name") for row in rows] == names
    assert [row.text(".message") for row in rows] == ["This file is invalid: text file."] * 2
    assert page.script("return window.ran") is None
    assert page.console() == []


def test_a_file_larger_than_the_server_takes_is_not_read(page, tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(MAXIMUM_IMAGE + 1)
    page.script("window.FileReader = null")
    (row,) = page.choose(large)
    assert row.state == "invalid"
    assert row.text(".message") == f"This file is invalid: {reasons.too_large(MAXIMUM_IMAGE)}."


def test_an_image_with_too_many_pixels_is_not_decoded_by_the_browser(page):
    page.script(
        """
        const real = window.createImageBitmap;
        window.decoded = 0;
        window.createImageBitmap = (...given) => { window.decoded += 1; return real(...given); };
        const original = window.fetch;
        window.fetch = async (path, ...given) => path.includes(":predict")
          ? Response.json({ predictions: [{ valid: false }] }) : original(path, ...given);
        """
    )
    page.drop({"bomb.png": png_of_zeros(20_000, 20_000)})
    (row,) = page.rows()
    assert page.script("return window.decoded") == 0
    assert not row.one(".image canvas").is_displayed()


def test_a_thousand_files_do_not_hold_up_the_page(page):
    written = page.browser.execute_async_script(
        """
        const [done] = arguments;
        const real = window.fetch;
        window.fetch = async (path, ...given) => path.includes(":predict")
          ? Response.json({ predictions: [{ probability: 0, label: "NORMAL", valid: true }] })
          : real(path, ...given);
        let written = 0;
        new MutationObserver((all) => { written += all.length; })
          .observe(document.getElementById("summary"), { childList: true });
        const transfer = new DataTransfer();
        for (let index = 0; index < 1000; index += 1) {
          transfer.items.add(new File(["x"], `${index}.png`));
        }
        document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer }));
        setTimeout(() => done(written));
        """
    )
    assert written <= 20  # once for all files, and for what was queried meanwhile
    page.rows()
    assert page.one("#summary").text == "1000 files: 1000 NORMAL"


def test_a_response_that_is_not_ours_is_reported(page, images):
    page.script("window.fetch = async () => new Response('<h1>Proxy</h1>', { status: 502 })")
    (row,) = page.choose(images[0])
    assert row.text(".message") == "The server failed: 502"


def test_a_stopped_server_shows_the_retry_and_a_new_version_predicts(
    browser, tmp_path_factory, images
):
    from tests.serving.saved import save

    model = tmp_path_factory.mktemp("stopped") / "chest_xray"
    save(model / "17")
    with running(model, *OPTIONS) as server:
        page = Page(browser).open(server.rest)
        assert page.choose(images[0])[0].state == "predicted"

        # The page has not yet heard of the new version when it calls the former one.
        save(model / "18")
        url = f"{server.rest}/v1/models/chest_xray/versions/17"
        with httpx.Client(trust_env=False) as client:
            page.until(lambda: b'"END"' in client.get(url).content)
        newest = page.choose(images[1])[0]
        assert newest.state == "predicted"
        assert newest.text(".details").endswith("version 18")
        assert page.one("#status").text == "chest_xray · version 18"

        server.process.terminate()
        server.process.wait(60)
    rows = page.choose(*images)[:3]
    for row in rows:
        assert row.state == "failed"
        assert "The server does not respond. Check that it is running" in row.text(".message")
        assert row.one(".retry").is_displayed()
    page.one("#retry-all").click()
    assert [row.state for row in page.rows()[:3]] == ["failed"] * 3
    page.until(lambda: page.one("#status").text == "The server does not respond.")
