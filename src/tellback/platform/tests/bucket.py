"""A tiny S3 on the loopback interface: objects in memory, every signature checked (AWS Signature Version 4)."""

import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit

KEY, SECRET = "test-key", "test-secret"


@dataclass
class FakeBucket:
    """What the bucket holds, and how it fails when it is told to."""

    port: int = 0
    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    failing: bool = False
    refused: int = 0

    def url(self, *, secret: str = SECRET) -> str:
        """The address for `TELLBACK_FILES_URL`."""
        return f"s3://{KEY}:{secret}@bucket/kept?region=eu-test-1&endpoint=http://127.0.0.1:{self.port}"


@contextmanager
def fake_bucket() -> Iterator[FakeBucket]:
    """A bucket that answers until the block ends."""
    bucket = FakeBucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), "etag": '"1"', **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            if bucket.failing:
                return self._answer(503)
            if not self._is_signed(parts.path, parts.query, body):
                bucket.refused += 1
                return self._answer(403)
            key = unquote(parts.path).removeprefix("/bucket").removeprefix("/")
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            {"GET": self._get, "PUT": self._put, "POST": self._post}[self.command](key, query, body)
            return None

        do_GET = do_PUT = do_POST = _handle

        def _put(self, key: str, _query: dict[str, str], body: bytes) -> None:
            bucket.objects[key] = (body, datetime.now(UTC))
            self._answer(200)

        def _get(self, key: str, query: dict[str, str], _body: bytes) -> None:
            if "list-type" in query:
                return self._answer(200, _listing(bucket, query.get("prefix", "")), content_type="application/xml")
            if key not in bucket.objects:
                return self._answer(404)
            body, written = bucket.objects[key]
            return self._answer(200, body, last_modified=written.strftime("%a, %d %b %Y %H:%M:%S GMT"))

        def _post(self, _key: str, query: dict[str, str], body: bytes) -> None:
            """Removes what a list names, and says of everything that it is gone."""
            if "delete" not in query:
                return self._answer(400)
            named = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for key in named:
                bucket.objects.pop(key, None)
            gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in named)
            return self._answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode(), content_type="application/xml")

        def _is_signed(self, path: str, query: str, body: bytes) -> bool:
            stated = self.headers.get("authorization", "")
            fields = dict(part.strip().split("=", 1) for part in stated.partition(" ")[2].split(",") if "=" in part)
            signed = fields.get("SignedHeaders", "").split(";")
            digest = self.headers.get("x-amz-content-sha256", "")
            if digest != "UNSIGNED-PAYLOAD" and digest != hashlib.sha256(body).hexdigest():
                return False
            pairs = sorted(parse_qsl(query, keep_blank_values=True))
            canonical = "\n".join(
                [
                    self.command,
                    path,
                    "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs),
                    *(f"{name}:{' '.join(self.headers.get(name, '').split())}" for name in signed),
                    "",
                    ";".join(signed),
                    digest,
                ]
            )
            _, day, region, service, kind = fields.get("Credential", "////").split("/")
            scope = f"{day}/{region}/{service}/{kind}"
            summary = hashlib.sha256(canonical.encode()).hexdigest()
            text = f"AWS4-HMAC-SHA256\n{self.headers['x-amz-date']}\n{scope}\n{summary}"
            made = f"AWS4{SECRET}".encode()
            for part in (day, region, service, kind, text):
                made = hmac.digest(made, part.encode(), "sha256")
            return hmac.compare_digest(made.hex(), fields.get("Signature", ""))

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bucket.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()


def _listing(bucket: FakeBucket, prefix: str) -> bytes:
    found = "".join(
        f"<Contents><Key>{key}</Key><LastModified>{written.strftime('%Y-%m-%dT%H:%M:%S.000Z')}</LastModified>"
        f"<ETag>&quot;1&quot;</ETag><Size>{len(body)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key, (body, written) in sorted(bucket.objects.items())
        if key.startswith(prefix)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name>'
        f"<IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
    ).encode()
