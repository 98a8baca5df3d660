"""Another company's website on a port of its own, strict and hostile, with the widget in it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Everything that a page's own style could do to what it does not know.
HOSTILE_CSS = """
html { font-size: 2px; }
body { transform: rotate(3deg); filter: blur(2px); }
*, *::before, *::after { all: revert; font: 3px monospace !important; color: #fefefe !important; direction: rtl;
  letter-spacing: 9px !important; text-transform: uppercase !important; line-height: 0 !important;
  pointer-events: none !important; }
tellback-widget, html > :not(head, body) { display: none !important; visibility: hidden !important;
  opacity: 0 !important; transform: scale(0) !important; position: static !important; width: 0 !important;
  --accent: red !important; }
button, section, form, input, textarea, [role=dialog] { display: none !important; }
"""
#: What old libraries and careless pages do to the language itself.
POLLUTED = """
const refuse = (name) => function () { throw new Error("Array.prototype." + name + " is not what it was"); };
for (const name of ["push", "forEach", "map", "filter", "find", "includes", "indexOf", "join", "some", "reduce",
                    "slice", "splice", "concat", "every", "entries", "values", "keys", "flat", "at", "shift",
                    "unshift", "sort"]) {
  Array.prototype[name] = refuse(name);
}
Array.prototype.toJSON = () => "broken";
Array.prototype.extend = function () {};
Object.prototype.surprise = "enumerable everywhere";
Array.prototype[Symbol.iterator] = refuse("iterator");
Array.from = Array.of = refuse("from");
"""


@dataclass
class HostSite:
    """A website that serves what it is given, with this content security policy."""

    address: str
    policy: str = ""
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, content: str, content_type: str = "text/html") -> None:
        """Serve this from now on."""
        self.files[path] = (content_type, content)


@contextmanager
def serve_host_site() -> Iterator[HostSite]:
    """A website on a free port of 127.0.0.1, served by a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            content_type, content = host.files.get(self.path.partition("?")[0], ("text/plain", ""))
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            if host.policy:
                self.send_header("Content-Security-Policy", host.policy)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host = HostSite(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
