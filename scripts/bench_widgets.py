"""Our chat page beside two well-known chat widgets: ``python -m scripts.bench_widgets [--sends 40]``.

Loads botframework-webchat and deep-chat from their npm packages (exact versions, hashes checked; needs npm) and sends
messages in turn to all three in one browser, through the same gateway to the tests' stand-in for Rasa, which echoes at
once. Measured: milliseconds from sending to the frame that shows the reply, and what the scripts weigh on the wire.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import statistics
import subprocess
import tarfile
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from gateway.pages import STATIC, join
from scripts.bench_gateway import CLOCK, wire
from tests.browser.conftest import chromium
from tests.gateway.conftest import open_door

PACKAGES = {
    "botframework-webchat-4.18.1": "7jpEUJ7olT62Xm+8eh7BhhIcXVfU2xD4pZDaeBt8K4XcNy6K/83UGIxE9BFkXmHMZ4hDEVOzs5cre07GWuaXzg==",
    "deep-chat-2.4.2": "wQNd6Z6HDoH7OMeoQKpmxDm9XdWrRjMkBJ2yl5tsYND9Dz2UCv/BdGVM8vK2V0mhO1u+OniHYPWDGvjlNxjCeQ==",
}
"""npm packages and the SHA-512 that the registry publishes for each."""
OURS = "ours"
BUNDLES = {"webchat": "package/dist/webchat-minimal.js", "deep-chat": "package/dist/deepChat.bundle.js"}
TALK = (
    join([(STATIC / "api.js").read_text(encoding="utf-8")])
    + """
let answered = () => {};
const chat = connect("en", { ready() {}, state() {}, gone() {}, event(e) { if (e.who === "bot" && e.text) answered(e.text.replace("You said", "Echo")); } });
chat.listen();
const ask = (text) => new Promise((done) => { answered = done; chat.say({ id: newId(), text }); });
const seen = (root, text) => new Promise((done) => { const start = performance.now();
new MutationObserver((_, watch) => { if (root.textContent.includes("Echo: " + text)) { watch.disconnect();
requestAnimationFrame(() => done(performance.now() - start)); } }).observe(root, {childList: true, subtree: true, characterData: true});});
"""
)
"""Our own client of the gateway, so that every widget pays the same for the way there and back. The echo is renamed,
because Web Chat itself says "You said" of what a person typed."""
HEAD = '<!doctype html><meta charset="utf-8"><title>bench</title><base href="/">'
PAGES = {
    "webchat": f"""{HEAD}<div id="w" style="height:600px"></div><script src="bench/webchat.js"></script><script type="module">{TALK}
      const listeners = new Set(); let count = 0;
      const flow = (begin) => ({{ subscribe(o) {{ const next = typeof o === "function" ? o : o.next.bind(o); begin(next, o); return {{ unsubscribe() {{}} }}; }}, [Symbol.observable || "@@observable"]() {{ return this; }} }});
      const put = (a) => {{ for (const next of listeners) next({{ timestamp: new Date().toISOString(), channelId: "b", conversation: {{ id: "c" }}, id: "a" + count++, ...a }}); }};
      const line = {{ connectionStatus$: flow((next) => {{ next(0); next(1); next(2); }}), activity$: flow((next) => listeners.add(next)), end() {{}}, getSessionId: () => flow(() => {{}}),
        postActivity: (a) => flow((next, o) => {{ const id = "s" + count++; next(id); o.complete && o.complete(); put({{ ...a, id, from: {{ id: "u", role: "user" }} }});
          if (a.type === "message") ask(a.text).then((text) => put({{ type: "message", from: {{ id: "b", role: "bot" }}, text }})); }}) }};
      const store = WebChat.createStore(); WebChat.renderWebChat({{ directLine: line, store, userID: "u" }}, document.getElementById("w"));
      window.say = (text) => {{ const wait = seen(document.getElementById("w"), text); store.dispatch({{ type: "WEB_CHAT/SEND_MESSAGE", payload: {{ text }} }}); return wait; }};
    </script>""",
    "deep-chat": f"""{HEAD}<script type="module" src="bench/deep-chat.js"></script><deep-chat id="d" style="height:600px"></deep-chat><script type="module">{TALK}
      const box = document.getElementById("d");
      box.connect = {{ handler: (body, signals) => ask(body.messages.at(-1).text).then((text) => signals.onResponse({{ text }})) }};
      window.say = (text) => {{ const wait = seen(box.shadowRoot, text); box.submitUserMessage({{ text }}); return wait; }};
    </script>""",
}


def bundles(folder: Path) -> dict[str, bytes]:
    """Download the packages into ``folder``, check them, and return the widgets' scripts. Raises SystemExit if one is not as known."""
    names = [name.rpartition("-") for name in PACKAGES]
    subprocess.run(
        ["npm", "pack", "--silent", *(f"{n}@{v}" for n, _, v in names)],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    found = {}
    for (name, digest), (script, inside) in zip(PACKAGES.items(), BUNDLES.items(), strict=True):
        package = folder / f"{name}.tgz"
        if base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode() != digest:
            raise SystemExit(f"{name} is not the package that is known here.")
        with tarfile.open(package) as archive:
            member = archive.extractfile(inside)
            assert member
            found[script] = member.read()
    return found


def stage(page: Page, url: str, widget: str, script: bytes) -> None:
    """Open the page of a widget as if the gateway at ``url`` served it."""
    html = PAGES[widget]
    page.route(f"{url}/bench/{widget}", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    page.route(
        f"{url}/bench/{widget}.js",
        lambda route: route.fulfill(body=script, content_type="text/javascript; charset=utf-8"),
    )
    page.goto(f"{url}/bench/{widget}")
    page.wait_for_timeout(3000)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sends", type=int, default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        scripts = bundles(folder)
        door = open_door(folder / "var", PLAINSPOKEN_LIMIT_BURST="100")
        try:
            weight = {OURS: sum(body for _, body, _ in wire(door))}
            weight |= {script: len(gzip.compress(text)) for script, text in scripts.items()}
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            pages: dict[str, Page] = {title: browser.new_page() for title in (OURS, *scripts)}
            pages[OURS].goto(door.url)
            pages[OURS].locator("html[data-ready]").wait_for(state="attached")
            for widget, script in scripts.items():
                stage(pages[widget], door.url, widget, script)
            times: dict[str, list[float]] = {title: [] for title in pages}
            for number in range(given.sends + 3):  # the first three warm each page up
                for title, page in pages.items():
                    page.bring_to_front()
                    ask = CLOCK if title == OURS else "(text) => window.say(text)"
                    took = float(page.evaluate(ask, f"message {number} of the bench"))
                    times[title] += [took] if number >= 3 else []
                    page.wait_for_timeout(150)
            browser.close()
        finally:
            door.stop()
    print(f"{'':14} {'median ms':>10} {'95% ms':>8} {'kB on the wire':>15}")
    for title, found in times.items():
        ordered = sorted(found)
        high = ordered[int(len(ordered) * 0.95)]
        print(f"{title:14} {statistics.median(ordered):10.1f} {high:8.1f} {weight[title] / 1000:15.1f}")


if __name__ == "__main__":
    main()
