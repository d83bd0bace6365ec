"""A BGP peer that does everything wrong, one mistake for each connection, and notes how it was answered.

As a program it plays all cases against a speaker at once, each from an address of its own:

    hostile_peer.py SPEAKER            prints {case: {"ok": bool, "got": …, "want": …}}
    hostile_peer.py SPEAKER --flood N  connects N times a second for three seconds; prints how often it could
    hostile_peer.py SPEAKER --listen   is connected to; prints a line {manner: connections so far} for each one
    hostile_peer.py SPEAKER --never-read
"""

import argparse
import concurrent.futures
import json
import selectors
import socket
import struct
import time

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, REFRESH = 1, 2, 3, 4, 5
MARKER = b"\xff" * 16
MY_AS, ITS_AS = 64513, 64512
PORT = 179
NETWORK = "10.60.0.0/24"

# What is expected besides a NOTIFICATION's (code, subcode[, data]).
STAYS = "the session stays, and answers a refresh"
CLOSED = "closed without a word"


def message(kind, body=b"", length=None, marker=MARKER):
    return marker + struct.pack("!HB", len(body) + 19 if length is None else length, kind) + body


def capability(code, value=b"", length=None):
    return bytes([code, len(value) if length is None else length]) + value


def parameter(caps, kind=2, length=None):
    return bytes([kind, len(caps) if length is None else length]) + caps


V4 = capability(1, b"\0\1\0\1")
AS4 = capability(65, struct.pack("!I", MY_AS))
REFRESHES = capability(2) + capability(70)
EXTENDED = capability(6)
GOOD_CAPS = V4 + AS4 + REFRESHES + EXTENDED


def open_message(version=4, asn=MY_AS, hold=9, ident="10.99.0.1", params=None, params_len=None):
    params = parameter(GOOD_CAPS) if params is None else params
    length = len(params) if params_len is None else params_len
    return message(OPEN, struct.pack("!BHH4sB", version, asn, hold, socket.inet_aton(ident), length) + params)


def attribute(flags, code, value, length=None):
    return struct.pack("!BBB", flags, code, len(value) if length is None else length) + value


ORIGIN = attribute(0x40, 1, b"\0")
PATH = attribute(0x40, 2, b"\2\1" + struct.pack("!I", MY_AS))
HOP = attribute(0x40, 3, socket.inet_aton("10.50.1.1"))
NLRI = b"\x18\xcb\x00\x71"  # 203.0.113.0/24


def update(attrs=ORIGIN + PATH + HOP, nlri=NLRI, withdrawn=b"", attrs_len=None, withdrawn_len=None):
    return message(UPDATE, struct.pack("!H", len(withdrawn) if withdrawn_len is None else withdrawn_len) + withdrawn +
                   struct.pack("!H", len(attrs) if attrs_len is None else attrs_len) + attrs + nlri)


def many_prefixes(count, size=65000):
    """UPDATEs with @count prefixes in messages of at most @size bytes."""
    each = size // 5
    prefixes = [b"\x20\x0a" + struct.pack("!I", i)[1:] for i in range(count)]
    return b"".join(update(nlri=b"".join(prefixes[i:i + each])) for i in range(0, count, each))


# name: (how far the session is first, what is sent then, what has to come back[, YAML of the peer])
CASES = {
    # The header: RFC 4271 §6.1
    "marker-first-byte": ("connected", message(OPEN, b"", 29, b"\0" + MARKER[1:]), (1, 1)),
    "marker-last-byte": ("up", message(KEEPALIVE, marker=MARKER[1:] + b"\xfe"), (1, 1)),
    "random-bytes": ("connected", bytes(range(64)), (1, 1)),
    "http": ("connected", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", (1, 1)),
    "length-0": ("connected", message(OPEN, length=0), (1, 2, "0000")),
    "length-18": ("connected", message(KEEPALIVE, length=18), (1, 2, "0012")),
    "length-65535": ("connected", message(OPEN, length=65535), (1, 2, "ffff")),
    "open-4097": ("connected", message(OPEN, bytes(4078)), (1, 2, "1001")),
    "open-28": ("connected", message(OPEN, bytes(9)), (1, 2, "001c")),
    "keepalive-20": ("up", message(KEEPALIVE, b"\0"), (1, 2, "0014")),
    "update-22": ("up", message(UPDATE, bytes(3)), (1, 2, "0016")),
    "notification-20": ("up", message(NOTIFICATION, b"\6"), (1, 2, "0014")),
    "refresh-22": ("up", message(REFRESH, bytes(3)), (1, 2, "0016")),
    "type-0": ("up", message(0), (1, 3, "00")),
    "type-6": ("up", message(6), (1, 3, "06")),
    "type-255": ("connected", message(255), (1, 3, "ff")),
    # OPEN, field by field: §6.2
    "version-3": ("connected", open_message(version=3), (2, 1, "0004")),
    "version-5": ("connected", open_message(version=5), (2, 1, "0004")),
    "another-as": ("connected", open_message(asn=64999, params=b""), (2, 2)),
    "another-as4": ("connected", open_message(params=parameter(capability(65, b"\0\1\0\1"))), (2, 2)),
    "as-0": ("connected", open_message(asn=0, params=b""), (2, 2)),
    "as4-0": ("connected", open_message(params=parameter(capability(65, bytes(4)))), (2, 2)),
    "as-trans-alone": ("connected", open_message(asn=23456, params=b""), (2, 2)),
    "hold-1": ("connected", open_message(hold=1), (2, 6)),
    "hold-2": ("connected", open_message(hold=2), (2, 6)),
    "id-0": ("connected", open_message(ident="0.0.0.0"), (2, 3)),
    "id-of-the-speaker": ("connected", open_message(asn=ITS_AS, ident="10.50.0.11", params=b""), (2, 3),
                          f"peer-asn: {ITS_AS}"),
    "parameter-1": ("connected", open_message(params=parameter(b"", kind=1)), (2, 4)),
    "parameters-too-long": ("connected", open_message(params_len=200), (2, 0)),
    "parameters-too-short": ("connected", open_message(params_len=3), (2, 0)),
    "parameter-past-end": ("connected", open_message(params=parameter(V4, length=99)), (2, 0)),
    "capability-past-end": ("connected", open_message(params=parameter(capability(1, b"\0\1\0\1", 200))), (2, 0)),
    "capability-cut": ("connected", open_message(params=parameter(b"\x41")), (2, 0)),
    "multiprotocol-3": ("connected", open_message(params=parameter(capability(1, b"\0\1\0"))), (2, 0)),
    "as4-2": ("connected", open_message(params=parameter(capability(65, b"\xfc\1"))), (2, 0)),
    "extended-parameters-lie": ("connected", open_message(params=b"\xff\xff\xff" + bytes(3), params_len=255), (2, 0)),
    "role-that-does-not-fit": ("connected", open_message(params=parameter(GOOD_CAPS + capability(9, b"\0"))), (2, 11),
                               "role: provider"),
    "two-roles": ("connected", open_message(params=parameter(GOOD_CAPS + capability(9, b"\3") + capability(9, b"\4"))),
                  (2, 11), "role: provider"),
    # Messages at the wrong time: RFC 6608
    "keepalive-before-open": ("connected", message(KEEPALIVE), (5, 1)),
    "update-before-open": ("connected", update(), (5, 1)),
    "refresh-before-open": ("connected", message(REFRESH, b"\0\1\0\1"), (5, 1)),
    "update-before-keepalive": ("confirmed", update(), (5, 2)),
    "open-twice": ("confirmed", open_message(), (5, 2)),
    "open-once-more": ("up", open_message(), (5, 3)),
    # UPDATE: §6.3 as far as RFC 7606 left it
    "withdrawn-past-end": ("up", update(withdrawn_len=999), (3, 1)),
    "attributes-past-end": ("up", update(attrs_len=999), (3, 1)),
    "prefix-33": ("up", update(nlri=b"\x21" + bytes(5)), (3, 10)),
    "prefix-cut": ("up", update(nlri=b"\x20\x0a\x00"), (3, 10)),
    "withdrawn-prefix-255": ("up", update(withdrawn=b"\xff\x0a"), (3, 10)),
    "unknown-well-known": ("up", update(ORIGIN + PATH + HOP + attribute(0x40, 99, b"x")), (3, 2, "40630178")),
    "reach-twice": ("up", update(2 * attribute(0x80, 14, b"\0\1\1\4" + bytes(5) + NLRI), b""), (3, 1)),
    "reach-hop-of-3": ("up", update(attribute(0x80, 14, b"\0\1\1\3" + bytes(4) + NLRI), b""), (3, 9)),
    "reach-cut": ("up", update(attribute(0x80, 14, b"\0\1\1\xff"), b""), (3, 9)),
    "too-many-prefixes": ("up", many_prefixes(11), (6, 1, "0001010000000a"), "max-prefix: 10"),
    # and what does not end a session
    "origin-3": ("up", update(attribute(0x40, 1, b"\3") + PATH + HOP), STAYS),
    "origin-of-2-bytes": ("up", update(attribute(0x40, 1, b"\0\0") + PATH + HOP), STAYS),
    "no-attributes": ("up", update(b""), STAYS),
    "no-next-hop": ("up", update(ORIGIN + PATH), STAYS),
    "path-segment-past-end": ("up", update(ORIGIN + attribute(0x40, 2, b"\2\xff\0\0") + HOP), STAYS),
    "path-segment-type-9": ("up", update(ORIGIN + attribute(0x40, 2, b"\x09\1\0\0\0\1") + HOP), STAYS),
    "path-of-a-confederation": ("up", update(ORIGIN + attribute(0x40, 2, b"\3\1\0\0\xfc\1") + HOP), STAYS),
    "attribute-past-end": ("up", update(ORIGIN + PATH + HOP + attribute(0xc0, 8, b"\0\0\0\1", 200)), STAYS),
    "attribute-twice": ("up", update(ORIGIN + ORIGIN + PATH + HOP), STAYS),
    "flags-swapped": ("up", update(attribute(0x80, 1, b"\0") + PATH + HOP), STAYS),
    "communities-of-5": ("up", update(ORIGIN + PATH + HOP + attribute(0xc0, 8, bytes(5))), STAYS),
    "large-communities-of-13": ("up", update(ORIGIN + PATH + HOP + attribute(0xc0, 32, bytes(13))), STAYS),
    "med-of-3": ("up", update(ORIGIN + PATH + HOP + attribute(0x80, 4, bytes(3))), STAYS),
    "aggregator-of-1": ("up", update(ORIGIN + PATH + HOP + attribute(0xc0, 7, b"\0")), STAYS),
    "unknown-optional": ("up", update(ORIGIN + PATH + HOP + attribute(0xc0, 250, bytes(200))), STAYS),
    "unknown-family": ("up", update(attribute(0x80, 14, b"\x40\x04\x47\0\0" + bytes(40)), b""), STAYS),
    "longest-message": ("up", many_prefixes(13098, 65490), STAYS),
    "table-of-100000": ("up", many_prefixes(100000), STAYS),
    # Refresh: RFC 2918 and 7313
    "refresh-24": ("up", message(REFRESH, b"\0\1\0\1\0"), (1, 2, "0018")),
    "mark-24": ("up", message(REFRESH, b"\0\1\1\1\0"), (7, 1, (message(REFRESH, b"\0\1\1\1\0")).hex())),
    "refresh-of-another-family": ("up", message(REFRESH, b"\x40\x04\0\x47"), STAYS),
    "refresh-subtype-9": ("up", message(REFRESH, b"\0\1\x09\1"), STAYS),
    "refresh-1000-times": ("up", 1000 * message(REFRESH, b"\0\1\0\1"), STAYS),
    "marks-without-routes": ("up", message(REFRESH, b"\0\1\2\1") + 50 * message(REFRESH, b"\0\1\1\1"), STAYS),
    # NOTIFICATION: never answered by one
    "notification-first": ("connected", message(NOTIFICATION, b"\6\4"), CLOSED),
    "notification-text": ("up", message(NOTIFICATION, b"\6\2\x20\x1b[2J\xff\xfe\0" + bytes(25)), CLOSED),
    "notification-text-lies": ("up", message(NOTIFICATION, b"\6\2\xff" + b"A" * 3), CLOSED),
    "notification-4096": ("up", message(NOTIFICATION, b"\x63\x63" + bytes(4075)), CLOSED),
    # Streams that end or crawl
    "cut-in-the-header": ("connected", MARKER[:9], CLOSED),
    "cut-in-the-body": ("up", update()[:-2], CLOSED),
    "silent-after-open": ("confirmed", b"", (4, 0)),
    "byte-by-byte": ("crawling", b"", STAYS),
    "all-at-once": ("connected", open_message() + message(KEEPALIVE) + update(), STAYS),
}
HANGS_UP = ("cut-in-the-header", "cut-in-the-body")
NEVER_READS = "never-reads"


def everybody():
    return [*CASES, NEVER_READS, *(m.__name__ for m in MANNERS)]


def address_of(case):
    """Each case is a peer of its own, so that none waits for the end of another."""
    return NETWORK.replace("0/24", str(everybody().index(case) + 1))


class Connection:
    def __init__(self, speaker, source, room=None):
        """@room: bytes that the kernel takes for us while we do not read."""
        self.bytes = b""
        self.socket = socket.socket()
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.socket.settimeout(10)
        self.socket.bind((source, 0))
        self.socket.connect((speaker, PORT))

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer may have come before the end of what we say

    def read(self):
        """The next (type, body), or None at the end of the stream."""
        while len(self.bytes) < 19 or len(self.bytes) < self.length():
            more = self.socket.recv(1 << 16)
            if not more:
                return None
            self.bytes += more
        whole, self.bytes = self.bytes[:self.length()], self.bytes[self.length():]
        return whole[18], whole[19:]

    def length(self):
        return struct.unpack_from("!H", self.bytes, 16)[0]

    def until(self, *kinds):
        """Skip to the first message of these types, or the end."""
        while True:
            got = self.read()
            if got is None or got[0] in (*kinds, NOTIFICATION):
                return got

    def advance(self, stage, hold):
        """Bring the session so far; returns what came instead when it could not be."""
        got = self.until(OPEN)
        if got is None or got[0] != OPEN:
            return got
        if stage in ("confirmed", "up"):
            self.send(open_message(hold=hold))
            got = self.until(KEEPALIVE)
        if stage == "up" and got and got[0] == KEEPALIVE:
            self.send(message(KEEPALIVE))
        if stage == "crawling":
            for byte in open_message() + message(KEEPALIVE):
                self.send(bytes([byte]))
                time.sleep(0.005)
        return got


def connect(speaker, case, stage, room=None):
    """A connection at its stage, as soon as the speaker lets us."""
    end = time.monotonic() + 20
    while True:
        c = Connection(speaker, address_of(case), room)
        try:
            got = c.advance(stage, 3 if case == "silent-after-open" else 9)
        except ConnectionResetError:
            got = None
        if got is not None and got[0] != NOTIFICATION:
            return c
        if time.monotonic() > end:
            raise TimeoutError(f"never {stage}: {got}")
        c.socket.close()
        time.sleep(0.1)


def outcome(c, want):
    """How the speaker took it, in the words of `want`."""
    if want == STAYS:
        c.send(message(KEEPALIVE) + message(REFRESH, b"\0\1\0\1"))
        # What was on its way before does not count: the answer begins with a mark.
        while (got := c.until(REFRESH)) and got[0] == REFRESH and got[1][2] != 1:
            pass
        got = c.until(UPDATE) if got and got[0] == REFRESH else got
        if got and got[0] == UPDATE:
            return STAYS
    else:
        got = c.until()
    if got is None:
        return CLOSED
    return (got[1][0], got[1][1], got[1][2:].hex())


def play(speaker, case):
    stage, data, want = CASES[case][:3]
    c = connect(speaker, case, stage)
    c.send(data)
    if case in HANGS_UP:
        c.socket.shutdown(socket.SHUT_WR)
    try:
        got = outcome(c, want)
    except ConnectionResetError:
        got = CLOSED
    except TimeoutError:
        got = "no answer"
    c.socket.close()
    wanted = [want] if isinstance(want, str) else list(want)
    return {"ok": got == want if isinstance(want, str) else list(got[:len(want)]) == wanted, "got": got, "want": want}


def play_all(speaker):
    def one(case):
        try:
            return case, play(speaker, case)
        except (OSError, TimeoutError) as e:
            return case, {"ok": False, "got": repr(e), "want": CASES[case][2]}
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        return dict(pool.map(one, CASES))


def flood(speaker, rate, source, seconds=3):
    """Connect and leave, by turns at once, with half an OPEN, and by a reset; a few of them stay for a while."""
    made, failed, held = 0, 0, []
    begin = time.monotonic()
    while (passed := time.monotonic() - begin) < seconds:
        if made + failed >= passed * rate:
            time.sleep(0.001)
            continue
        try:
            s = socket.create_connection((speaker, PORT), 2, (source, 0))
        except OSError:
            failed += 1
            continue
        made += 1
        if made % 3 == 1:
            s.send(open_message()[:25])
        if made % 3 == 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if made % 10 == 0:
            held.append(s)
        else:
            s.close()
        if len(held) > 50:
            held.pop(0).close()
    return {"made": made, "failed": failed}


def hang_up(connection):
    connection.close()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def babble(connection):
    connection.send(bytes(range(100)))


def be_silent(_):
    pass


def open_and_hang_up(connection):
    connection.send(open_message())
    connection.close()


# How those behave that the speaker connects to.
MANNERS = [hang_up, reset, babble, be_silent, open_and_hang_up]


def listen():
    counts, kept = {m.__name__: 0 for m in MANNERS}, []
    poll = selectors.DefaultSelector()
    for manner in MANNERS:
        poll.register(socket.create_server((address_of(manner.__name__), PORT)), selectors.EVENT_READ, manner)
    while True:
        for key, _ in poll.select():
            connection, _ = key.fileobj.accept()
            kept.append(connection)
            counts[key.data.__name__] += 1
            key.data(connection)
            print(json.dumps(counts), flush=True)


def never_read(speaker):
    """A session that only sends keepalives, for ever."""
    c = connect(speaker, NEVER_READS, "up", 4096)
    print("up", flush=True)
    while True:
        c.send(message(KEEPALIVE))
        time.sleep(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("speaker")
    parser.add_argument("--flood", type=int, metavar="RATE")
    parser.add_argument("--source", default="0.0.0.0")
    parser.add_argument("--listen", action="store_true")
    parser.add_argument("--never-read", action="store_true")
    given = parser.parse_args()
    if given.listen:
        listen()
    if given.never_read:
        never_read(given.speaker)
    print(json.dumps(flood(given.speaker, given.flood, given.source) if given.flood else play_all(given.speaker)))


if __name__ == "__main__":
    main()
