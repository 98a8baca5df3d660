"""The loop whole, as a person walks it: import, theme, promote, publish, mail, receipt."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

ROWS = [
    ("ada@example.com", "The CSV export is broken, the last three rows are missing every time."),
    ("ben@example.com", "Exporting to CSV loses rows at the end of the file."),
    ("cleo@example.com", "CSV export drops the last rows. Please fix the export."),
    ("dan@example.com", "Could you add a dark mode? The app is too bright at night."),
    ("eve@example.com", "Please add dark mode for working in the evening."),
    ("fay@example.com", "Thank you, great app."),
]


def test_who_asked_hears_back(site: Site, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "feedback.csv"
    with file.open("w", newline="") as sheet:
        csv.writer(sheet).writerows([("email", "message"), *ROWS])
    page.goto(site.entry)
    page.get_by_role("button", name="Enter").click()
    expect(page).to_have_url(f"{site.address}/admin/feedback/insights")
    expect(page.get_by_text("Here the first theme will form")).to_be_visible()
    done = site.installation.run("import", str(file))
    assert done.returncode == 0, done.stderr
    # The page that says what will be here becomes what is here, by itself.
    expect(page.locator("[data-row]").first).to_be_visible(timeout=60_000)

    def theme_is_there() -> bool:
        page.reload()
        return page.locator("[data-row]", has_text="export").count() == 1

    for _ in range(300):
        if theme_is_there():
            break
        page.wait_for_timeout(200)
    page.locator("[data-row]", has_text="export").click()
    expect(page.locator("mark", has_text="Exporting to CSV loses rows")).to_be_visible()

    page.get_by_role("link", name="Promote to post").click()
    expect(page.get_by_text("3 people will hear back")).to_be_visible()
    page.get_by_role("button", name="Create the post and subscribe 3 people").click()
    expect(page.get_by_text("is a post now")).to_be_visible()
    for _ in range(50):
        if page.get_by_text("4 people wait for this").count():
            break
        page.wait_for_timeout(200)
        page.reload()

    page.get_by_role("link", name="Announce that it shipped").click()
    page.get_by_label("Title").fill("CSV exports are whole again")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("3 people will hear back")).to_be_visible()
    page.get_by_role("button", name="Publish and tell 3 people").click()
    expect(page.get_by_text("3 people heard back")).to_be_visible()

    told = page.get_by_role("link").filter(has_text="Shipped: CSV exports are whole again")
    for _ in range(300):
        page.goto(f"{site.address}/admin/mailbox")
        if told.count() == 3:
            break
        page.wait_for_timeout(200)
    assert told.count() == 3
    told.filter(has_text="ben@example.com").click()
    page.get_by_text("Plain text").click()
    mail = page.locator("pre").inner_text()
    assert "Exporting to CSV loses rows at the end of the file." in mail
    receipt = next(word for word in mail.split() if "/r/" in word)

    page.context.clear_cookies()
    page.goto(receipt)
    expect(page.get_by_role("heading", level=1)).to_have_text("You asked, and it has shipped")
    expect(page.locator("mark", has_text="Exporting to CSV loses rows")).to_be_visible()
    expect(page.get_by_text("2 other people said this too.")).to_be_visible()
    assert "ada@example.com" not in page.content()

    page.get_by_text("Not right?").click()
    page.get_by_label("It is rather").select_option("A complaint")
    page.get_by_role("button", name="Put it right").click()
    expect(page.get_by_text("You put this right.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".understood b")).to_have_text("Something is broken")
    page.get_by_label("Something to add?").fill("It happened again today.")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("blockquote", has_text="It happened again today.")).to_be_visible()
    page.get_by_text("Erase it").click()
    page.get_by_role("button", name="Erase what I said").click()
    expect(page.get_by_text("You took this back")).to_be_visible()


def test_a_strangers_guess_at_a_receipt_is_nothing(site: Site, page: Page) -> None:
    response = page.request.get(f"{site.address}/r/{'A' * 32}")
    assert response.status == 404
