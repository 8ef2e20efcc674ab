"""Tricks that would make the service reach another server than the registered one: one table for `fhirServer`, `jku` and `next`.

In a trick `{own}` is host and port of the registered server, `{port}` its port, and `{other}` host and port of one that nobody registered.
"""

from __future__ import annotations

from collections.abc import Mapping

TRICKS: Mapping[str, str] = {
    # who is named before the host
    "the other server": "http://{other}/r4",
    "the registered server as a user": "http://{own}@{other}/r4",
    "the registered server as user and word": "http://{own}:443@{other}/r4",
    "a user and a word": "http://user:word@{own}/r4",
    "an empty user": "http://@{own}/r4",
    "an encoded at sign": "http://{own}%40{other}/r4",
    "two at signs": "http://x@{own}@{other}/r4",
    "a backslash before the at sign": "http://{other}\\@{own}/r4",
    "a backslash behind the registered server": "http://{own}\\@{other}/r4",
    "backslashes for slashes": "http:\\\\{other}\\r4",
    "a slash and a backslash": "/\\{other}/r4",
    # this machine by other names and numbers
    "localhost": "http://localhost:{port}/r4",
    "localhost in capitals with a dot": "http://LOCALHOST.:{port}/r4",
    "localhost of a domain": "http://localhost.localdomain:{port}/r4",
    "a name that resolves to this machine": "http://localtest.me:{port}/r4",
    "a name that holds the address": "http://127.0.0.1.nip.io:{port}/r4",
    "a name that begins with the address": "http://{own}.evil.example/r4",
    "a name that ends with the address": "http://evil-{own}/r4",
    "the address with a dot": "http://127.0.0.1.:{port}/r4",
    "the address as one number": "http://2130706433:{port}/r4",
    "the address in octal": "http://0177.0.0.1:{port}/r4",
    "the address as one octal number": "http://017700000001:{port}/r4",
    "the address in hexadecimal": "http://0x7f.0x0.0x0.0x1:{port}/r4",
    "the address as one hexadecimal number": "http://0x7f000001:{port}/r4",
    "the address shortened": "http://127.1:{port}/r4",
    "the address with zeros": "http://127.000.000.001:{port}/r4",
    "another address of this machine": "http://127.0.0.2:{port}/r4",
    "the address of every interface": "http://0.0.0.0:{port}/r4",
    "a link-local address": "http://169.254.169.254/r4",
    "the address in IPv6": "http://[::1]:{port}/r4",
    "the address mapped to IPv6": "http://[::ffff:127.0.0.1]:{port}/r4",
    "the address mapped in hexadecimal": "http://[::ffff:7f00:1]:{port}/r4",
    "every interface in IPv6": "http://[::]:{port}/r4",
    "IPv6 with a zone": "http://[fe80::1%25lo]:{port}/r4",
    "IPv6 with a plain zone": "http://[::1%lo]:{port}/r4",
    "IPv6 without brackets": "http://::1:{port}/r4",
    "an open bracket": "http://[::1",
    "the address in brackets": "http://[127.0.0.1]:{port}/r4",
    # characters that others read as these
    "fullwidth digits": "http://\uff11\uff12\uff17.0.0.1:{port}/r4",
    "circled digits": "http://\u2460\u2461\u2466.0.0.1:{port}/r4",
    "an ideographic full stop": "http://127\u30020.0.1:{port}/r4",
    "a fullwidth slash": "http://{own}\uff0f@{other}/r4",
    "a fullwidth at sign": "http://{own}\uff20{other}/r4",
    "a fullwidth colon": "http://127.0.0.1\uff1a{port}/r4",
    "a Cyrillic letter": "http://l\u043ecalhost:{port}/r4",
    "an umlaut": "http://l\u00f6calhost:{port}/r4",
    "punycode": "http://xn--lcalhost-90a:{port}/r4",
    "a soft hyphen": "http://127.0.\u00ad0.1:{port}/r4",
    "a blank without width": "http://127.0.0.1\u200b:{port}/r4",
    "an account-of sign": "http://127.0.0.1\u2100@{other}/r4",
    # ports
    "no port": "http://127.0.0.1/r4",
    "an empty port": "http://127.0.0.1:/r4",
    "port zero": "http://127.0.0.1:0/r4",
    "a port with a sign": "http://127.0.0.1:+{port}/r4",
    "a port that overflows": "http://127.0.0.1:{overflow}/r4",
    "a port in other digits": "http://127.0.0.1:{arabic}/r4",
    "two ports": "http://{own}:80/r4",
    "a port by its name": "http://127.0.0.1:http/r4",
    "another scheme on the port": "https://{own}/r4",
    # other schemes, and none
    "ftp": "ftp://{own}/r4",
    "file": "file:///etc/passwd",
    "gopher": "gopher://{own}/_GET",
    "javascript": "javascript:alert(1)",
    "data": "data:application/json,1",
    "a scheme without slashes": "http:{other}/r4",
    "a scheme with one slash": "http:/{other}/r4",
    "a scheme with three slashes": "http:///{other}/r4",
    "no scheme": "//{other}/r4",
    "no scheme and many slashes": "////{other}/r4",
    "no scheme and a user": "//{own}@{other}/r4",
    # blanks and characters that end something
    "a blank in front": " http://{other}/r4",
    "a tab in the scheme": "ht\ttp://{other}/r4",
    "a newline in the scheme": "ht\ntp://{other}/r4",
    "a tab for a slash": "/\t/{other}/r4",
    "a newline in the host": "http://127.0.\n0.1:{port}/r4",
    "a header": "http://{own}/r4\r\nHost: {other}\r\nX: y",
    "a header that is encoded": "http://{own}/r4%0d%0aHost:%20{other}",
    "NUL": "http://{own}\x00.{other}/r4",
    "a blank in the host": "http://{own} {other}/r4",
    # path, query and fragment
    "a path that goes up": "http://{own}/r4/../../{other}",
    "a path that goes up and comes back": "http://{own}/x/../r4",
    "a path that goes up, encoded": "http://{own}/r4/%2e%2e/%2e%2e/{other}",
    "a path that goes up behind a parameter": "http://{own}/r4/..;/{other}",
    "a path that is encoded": "http://{own}/%72%34",
    "a path that is encoded twice": "http://{own}/%2572%2534",
    "an empty segment": "http://{own}//{other}/r4",
    "another path": "http://{own}/elsewhere",
    "a path in capitals": "http://{own}/R4",
    "the registered URL in a path": "http://{other}/http://{own}/r4",
    "the registered server in a query": "http://{other}?@{own}/r4",
    "the registered server in a fragment": "http://{other}#@{own}/r4",
    "another server in a query": "http://{own}/r4?url=http://{other}/r4",
    "another server in a fragment": "http://{own}/r4#@{other}/r4",
    "an encoded host": "http://127%2e0%2e0%2e1:{port}/r4",
    "an asterisk": "http://*:{port}/r4",
}
# How a server itself sends on what it was asked.
REDIRECTS = ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect")


def spelt(trick: str, own: str, other: str) -> str:
    """A trick against a registered server, in favour of another."""
    port = own.rpartition(":")[2]
    arabic = "".join(chr(0x0660 + int(digit)) for digit in port)
    return trick.format(own=own, other=other, port=port, overflow=int(port) + 65536, arabic=arabic)
