"""In a real browser: the policy lets the console's own pages do what they need, and nothing else."""

import json
import shutil
from collections.abc import AsyncIterator

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

PAGE = """<!doctype html><title>page</title>
<script>document.title = "inline script ran";</script>
<script src="/assets/own-1.js"></script>"""
OWN = """
const violated = [];
document.addEventListener("securitypolicyviolation", (event) => violated.push(event.effectiveDirective));
const ask = (path, method, body, csrf) => fetch("/api/v1" + path, {
  method, body: JSON.stringify(body),
  headers: { "Content-Type": "application/json", ...(csrf ? { "X-CSRF-Token": csrf } : {}) },
});
async function all(name, password) {
  const seen = {};
  const session = await (await ask("/session", "POST", { name, password })).json();
  seen.cookie = document.cookie;
  seen.withoutToken = (await ask("/session", "PATCH", { language: "kk" })).status;
  seen.withToken = (await ask("/session", "PATCH", { language: "kk" }, session.csrf)).status;
  const updates = await fetch("/api/v1/updates");
  seen.updates = updates.headers.get("content-type");
  await updates.body.cancel();
  seen.live = await new Promise((resolve) => {
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/api/v1/cameras/club-door/live");
    socket.onmessage = (message) => { resolve(message.data); socket.close(); };
    socket.onclose = (event) => resolve(event.code);
  });
  try { seen.eval = eval("1 + 1"); } catch (error) { seen.eval = error.name; }
  seen.outside = await fetch("http://localhost:1/").then(() => "reached", (error) => error.name);
  const image = new Image();
  seen.image = await new Promise((resolve) => {
    image.onload = () => resolve("shown");
    image.onerror = () => resolve("refused");
    image.src = "http://localhost:1/x.png";
  });
  document.body.style.color = "red";
  const element = document.createElement("div");
  element.innerHTML = "<b style='color: red' onclick='1'>x</b>";
  document.body.append(element);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { ...seen, title: document.title, violated: [...new Set(violated)].sort() };
}
"""


async def test_own_pages_work_and_nothing_foreign_does(make_house) -> None:
    from playwright.async_api import async_playwright

    house = make_house()
    (house.data_dir / "console" / "index.html").write_text(PAGE)
    (house.data_dir / "console" / "assets" / "own-1.js").write_text(OWN)

    async def video() -> AsyncIterator[bytes]:
        yield b"video/mp4"
        yield b"init"

    house.workers.videos["club-door"] = video
    name = house.user()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(house.url)
        seen = await page.evaluate("(name) => all(name, 'correct horse battery')", name)
        await browser.close()
    assert seen["title"] == "page", "inline scripts do not run"
    assert seen["cookie"] == "", "scripts cannot read the session"
    assert (seen["withoutToken"], seen["withToken"]) == (403, 200)
    assert seen["updates"].startswith("text/event-stream")
    assert json.loads(seen["live"]) == {"mime": "video/mp4"}
    assert seen["eval"] == "EvalError"
    assert (seen["outside"], seen["image"]) == ("TypeError", "refused")
    assert {"connect-src", "img-src", "script-src", "style-src-attr"} <= set(seen["violated"])
