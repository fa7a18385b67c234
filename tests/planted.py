"""Made-up secrets of every system, in every dress."""

import base64
from urllib.parse import quote


def made(*parts: str) -> str:
    """Return a made-up secret; it stands in parts, so that no scanner takes it for a real one."""
    return "".join(parts)


BODY = "q7Zr2Kx9Tn4Wd8Lm1Vb6Hy3Gc5Jf0Ps"
PLANTED = {
    "composio": made("ak", "_", BODY),
    "composio header": f"x-api-key: {BODY}",
    "gemini": made("AI", "za", BODY, "Qx"),
    "google oauth": made("ya", "29.", "a0AfH6SM", BODY),
    "google refresh": made("1/", "/0", BODY, "abc"),
    "google client": made("GOC", "SPX-", BODY[:28]),
    "supabase secret": made("sb", "_secret_", BODY),
    "supabase management": made("sb", "p_", BODY, "00aa11bb"),
    "jwt": made("ey", "JhbGciOiJIUzI1NiJ9.", "ey", "JyZWYiOiJhYmNkIn0.", BODY),
    "slack bot": made("xo", "xb-", "123456789012-", BODY[:24]),
    "slack app": made("xa", "pp-", "1-A0123-", BODY[:24]),
    "slack hook": made("https://hooks.slack", ".com/services/", "T0AB/B0CD/", BODY[:24]),
    "pagerduty routing": f"routing_key={BODY}",
    "pagerduty rest": f"Authorization: Token token={BODY[:20]}",
    "pagerduty user": made("u", "+", BODY[:18]),
    "statuspage": f"Authorization: OAuth {BODY}",
    "fly": made("Fly", "V1 fm", "2_", BODY),
    "vercel": f"VERCEL_TOKEN={BODY[:24]}",
    "github": made("gh", "p_", BODY, "abcd"),
    "github fine": made("github", "_pat_", BODY),
    "aws": made("AK", "IA", "QX7ZR2KX9TN4WD8L"),
    "signed url": f"https://x.s3.amazonaws.com/o?X-Amz-Signature={BODY}&x=1",
    "signed object": f"/object/sign/evidence/a.pdf?token={BODY}",
    "dsn": f"postgresql://reader:{BODY}@db.internal:5432/postgres",
    "dsn redis": f"rediss://default:{quote(BODY + '/+', safe='')}@cache:6379/0",
    "dsn mysql": f"mysql+pymysql://app:{BODY}@db/app",
    "bearer": f"authorization: bearer {BODY}",
    "basic": f"Basic {base64.b64encode(('svc:' + BODY).encode()).decode()}",
    "private key": f"-----BEGIN EC PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END EC PRIVATE KEY-----",
    "private key cut": f"-----BEGIN PRIVATE KEY-----\n{BODY}",
    "cookie": f"Set-Cookie: sb-auth={BODY}; HttpOnly",
    "camel case": f'{{"accessToken": "{BODY}"}}',
    "escaped json": f'{{\\"api_key\\": \\"{BODY}\\"}}',
    "in html": f"<code>password=&quot;{BODY}&quot;</code>",
    "in a url": f"https://host/path?password%3D{BODY}",
    "numeric password": "password: 83920174",
    "pagerduty events": f"routing_key: {BODY.lower()}",
    "statuspage json": f'{{"Authorization": "OAuth {BODY}"}}',
    "header list": f"('authorization', 'Bearer {BODY}')",
    "jwt over lines": made("ey", f"JhbGciOiJIUzI1NiJ9.ey\nJyZWYiOiJhYmNkIn0.\n{BODY}\nend of it"),
    "slack in two strings": made("'xo", f"xb-123456789012-' '{BODY}'"),
    "github in tags": made("<b>gh", f"p_</b><span class='x'>{BODY}</span>"),
    "google in entities": made("&#65;I", f"za{BODY}Qx"),
    "supabase in escapes": made("sb\\u005f", f"secret_{BODY}"),
    "fly in a url": made("t=fm2", f"%5F{BODY}"),
    "dsn in a url": f"dsn=postgresql%3A%2F%2Freader%3A{BODY}%40db%3A5432%2Fx",
    "dsn in json": f'"postgresql:\\/\\/reader:{BODY}@db"',
    "password in quotes": f'password = "two words {BODY}"',
    "aws secret": f"aws_secret_access_key = {BODY}",
    "vercel new": made("vc", f"p_{BODY}"),
    "composio user": made("u", f"ak_{BODY}"),
    "slack refresh": made("xo", f"xe-1-{BODY}"),
    "header apikey": f"apikey: {BODY}",
    "sentry": f"https://{'0123456789abcdef' * 2}@o1.ingest.sentry.io/2",
    "customer": "write to anna.b+work@customer.example",
    "customer phone": "call +49 170 123 45 67",
}
# What must be in no file: the parts that open something, and whom it concerns.
CORES = (
    *(BODY, BODY[:18], BODY.lower(), "83920174", "0123456789abcdef" * 2),
    *("anna.b", "170 123", "QX7ZR2KX9TN4WD8L"),
    base64.b64encode(f"svc:{BODY}".encode()).decode(),
)
