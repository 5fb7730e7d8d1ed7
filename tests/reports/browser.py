"""A headless Chromium at the end of a pipe: the DevTools protocol, as much of it as the page's tests need."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests often run as root, in a container; what is opened was written here
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
_PATIENCE_SECONDS = 60.0


def find_chromium() -> str:
    """Return the browser's path; skip where there is none, but fail in CI: there, nothing is skipped silently."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    reason = f"the HTML page is tested in a browser: install one of {', '.join(_NAMES)} (Debian: chromium)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    return pytest.skip(reason)


class Browser:
    """One Chromium. Messages are JSON that ends in a zero byte; it reads descriptor 3 and writes descriptor 4."""

    def __init__(self, path: str, profile: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # A shell puts the pipes where Chromium looks for them: no code runs between fork and exec.
        command = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, path, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest = b""
        self._n_sent = 0
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, session: str = "", **params: object) -> dict[str, Any]:
        """Call a method and wait for its answer; events that arrive meanwhile are kept."""
        self._n_sent += 1
        message = {"id": self._n_sent, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._n_sent:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self.events.append(answer)

    def wait_for(self, method: str, session: str) -> None:
        """Wait until an event has arrived."""
        while not any(event["method"] == method and event.get("sessionId") == session for event in self.events):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            read = os.read(self._in, 1 << 16) if ready else b""
            assert read, "the browser says nothing more" if ready else "the browser does not answer"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))

    def close(self) -> None:
        """End it, gently first."""
        os.close(self._out)
        os.close(self._in)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_PLACE_AT_REST = """(async () => {
    const element = document.querySelector(%s), seen = [];
    element.scrollIntoView({block: "center", behavior: "instant"});
    while (seen.length < 3 || seen.at(-1) !== seen.at(-3)) {
        await new Promise(requestAnimationFrame);
        seen.push(element.getBoundingClientRect().y);
    }
    return element.getBoundingClientRect().toJSON();
})()"""


class Tab:
    """One page in it, of which everything is heard that it does."""

    def __init__(self, browser: Browser, width: int = 1280, height: int = 900) -> None:
        self._browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._target = target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.resize(width, height)

    def send(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of this page."""
        return self._browser.send(method, self._session, **params)

    def resize(self, width: int, height: int) -> None:
        """Give it a screen of so many pixels."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scripts(self, *, allowed: bool) -> None:
        """Allow or forbid the page's own scripts."""
        self.send("Emulation.setScriptExecutionDisabled", value=not allowed)

    def media(self, kind: str = "", scheme: str = "light") -> None:
        """Show it as on paper (``print``), in a light or a dark scheme."""
        self.send(
            "Emulation.setEmulatedMedia", media=kind, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    def open(self, path: Path) -> None:
        """Open a file and wait until it has loaded."""
        self._browser.events.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        self._browser.wait_for("Page.loadEventFired", self._session)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of an element, when it lies still: what had the focus may scroll yet."""
        place = self.evaluate(_PLACE_AT_REST % json.dumps(selector))
        x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, key: str, code: int, text: str = "") -> None:
        """Press a key that has a name, such as Tab (9) or Enter (13)."""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                **({"text": text} if text and kind == "keyDown" else {}),
            )  # fmt: skip

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.send("Input.insertText", text=text)

    def picture(self, *, whole: bool = False) -> bytes:
        """Return a PNG of the screen, or of the whole page."""
        return base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def pdf(self) -> bytes:
        """Return what would be printed."""
        return base64.b64decode(self.send("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    @property
    def requests(self) -> list[str]:
        """All that the page asked for since it was opened, pictures that it holds itself apart."""
        return [
            event["params"]["request"]["url"]
            for event in self._heard("Network.requestWillBeSent")
            if not event["params"]["request"]["url"].startswith("data:")
        ]

    @property
    def complaints(self) -> list[dict[str, Any]]:
        """All that went to the console: errors, warnings, violations of the page's policy."""
        return [
            event["params"]
            for method in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
            for event in self._heard(method)
        ]

    def _heard(self, method: str) -> Iterator[dict[str, Any]]:
        return (e for e in self._browser.events if e["method"] == method and e.get("sessionId") == self._session)

    def close(self) -> None:
        """Close the page."""
        self._browser.send("Target.closeTarget", targetId=self._target)
