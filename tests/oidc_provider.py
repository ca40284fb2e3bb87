"""An OpenID provider that checks everything it should, and can be told to misbehave.

It lets whoever comes in at once, as ``self.person`` says they are. For tests only.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "aerocast", "the hub's own secret"


class OidcProvider:
    """Serves on a free port of this machine, in a thread.

    Attributes
    ----------
    person
        Claims of whoever logs in next.
    changed
        What is put into ID tokens in place of what is right: ``{"aud": "another"}``.
    """

    def __init__(self):
        self.person = {"sub": "s-1", "preferred_username": "ada", "groups": ["bags"]}
        self.changed = {}
        self.header = {"alg": "RS256"}
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.signs_with = self.key
        self.granted = {}
        self.refused = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = urlsplit(self.path)
                query = {name: each[0] for name, each in parse_qs(asked.query).items()}
                if asked.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(query))
                    self.end_headers()
                else:
                    self.answer(200, provider.describe(asked.path))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: each[0] for name, each in parse_qs(body).items()}
                token, why = provider.redeem(form, self.headers.get("Authorization"))
                provider.refused += [why] if why else []
                self.answer(400 if why else 200, {"error": why} if why else {"id_token": token})

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_words): ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=30)

    def describe(self, path):
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorize(self, query):
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.granted[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def redeem(self, form, login):
        """Give an ID token, or why not: a code is good once, for who asked for it."""
        asked = self.granted.pop(form.get("code"), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return None, "invalid_grant"
        if login != f"Basic {basic}":
            return None, "invalid_client"
        if base64.urlsafe_b64encode(proof).rstrip(b"=").decode() != asked["code_challenge"]:
            return None, "wrong verifier"
        now_s = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now_s,
            "exp": now_s + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.changed,
        }
        header = {**self.header, "kid": self.signs_with.kid}
        return jwt.encode(header, claims, self.signs_with, algorithms=["RS256"]), None
