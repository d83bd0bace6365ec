"""The other end of a BGP session, as thin as can be: it takes what comes, counts prefixes, and notes when.

While the routes come it only reads and takes the time: what it read is decoded afterwards, so that the receiver is
not what is measured. IPv4 unicast in the classic fields; that is what a benchmark of one family needs.
"""

import select
import socket
import struct
import time

MARKER = b"\xff" * 16
OPEN, UPDATE, NOTIFICATION, KEEPALIVE = 1, 2, 3, 4


class SessionLost(Exception):
    pass


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def open_message(asn, router_id, hold_s=3600):
    """IPv4 unicast and 4-octet AS numbers (RFC 5492, 6793). The sink sends no KEEPALIVE, so the hold time is long; GoBGP
    does not stop sending them when there is none."""
    capabilities = struct.pack("!BBHBB", 1, 4, 1, 0, 1) + struct.pack("!BBI", 65, 4, asn)
    parameter = struct.pack("!BB", 2, len(capabilities)) + capabilities
    head = struct.pack("!BHH4sB", 4, asn, hold_s, socket.inet_aton(router_id), len(parameter))
    return message(OPEN, head + parameter)


def updates(asn, next_hop, prefixes):
    """Messages filled to the brim, as one piece: [(address as bytes, length)] with one set of attributes."""
    attributes = (b"\x40\x01\x01\x00" + b"\x40\x02\x06\x02\x01" + struct.pack("!I", asn) +
                  b"\x40\x03\x04" + socket.inet_aton(next_hop))
    head = struct.pack("!HH", 0, len(attributes)) + attributes
    room = 4096 - 19 - len(head)
    out, body = [], b""
    for address, length in prefixes:
        one = bytes([length]) + address[:(length + 7) // 8]
        if len(body) + len(one) > room:
            out.append(message(UPDATE, head + body))
            body = b""
        body += one
    return b"".join([*out, message(UPDATE, head + body)])


class Messages:
    """Bytes become messages as soon as they are whole."""

    def __init__(self):
        self.rest = b""

    def feed(self, data):
        """[(kind, body)]"""
        self.rest += data
        found, at = [], 0
        while len(self.rest) - at >= 19:
            size, kind = struct.unpack_from("!HB", self.rest, at + 16)
            if len(self.rest) - at < size:
                break
            found.append((kind, self.rest[at + 19:at + size]))
            at += size
        self.rest = self.rest[at:]
        return found


def nlri(body):
    """The prefixes that an UPDATE announces: [(length, address bytes)]"""
    withdrawn = struct.unpack_from("!H", body)[0]
    attributes = struct.unpack_from("!H", body, 2 + withdrawn)[0]
    at, found = 4 + withdrawn + attributes, []
    while at < len(body):
        size = (body[at] + 7) // 8
        found.append((body[at], body[at + 1:at + 1 + size]))
        at += 1 + size
    return found


class Session:
    """One session over a connected socket, up to OpenConfirm; established() makes the last step."""

    def __init__(self, connection, asn, router_id):
        self.socket = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        connection.settimeout(15)
        connection.sendall(open_message(asn, router_id))
        self.messages, self.inbox = Messages(), []
        self.chunks = []        # (time, bytes) since Established
        self.expect(OPEN)

    def expect(self, kind):
        while True:
            while self.inbox:
                got, body = self.inbox.pop(0)
                if got == NOTIFICATION:
                    raise SessionLost(f"NOTIFICATION {body[:2].hex()}")
                if got == kind:
                    return
            data = self.socket.recv(65536)
            if not data:
                raise SessionLost("closed before it was established")
            self.inbox = self.messages.feed(data)

    def accept_open(self):
        """The peer's KEEPALIVE came only if it liked our OPEN; ours, which makes it Established, comes later."""
        self.expect(KEEPALIVE)

    def establish(self):
        """Now it is Established for the peer; returns when."""
        now = time.monotonic()
        self.socket.sendall(message(KEEPALIVE))
        return now

    def collect(self, wanted, patience=30.0, quiet=0.3, wake=False):
        """Read until @wanted prefixes are there and nothing more comes, or until patience ends. With @wake, a
        millisecond of silence is answered by a KEEPALIVE; decoding meanwhile would take too long, so it waits."""
        end = time.monotonic() + patience
        silences, needed = 0, int(quiet / 0.001) if wake else 1
        while time.monotonic() < end:
            readable, _, _ = select.select([self.socket], [], [], quiet / needed)
            if readable:
                data = self.socket.recv(1 << 20)
                self.chunks.append((time.monotonic(), data))
                if not data:
                    raise SessionLost("closed while the routes came")
                continue
            silences += 1
            if silences % needed == 0 and len(self.arrivals()) >= wanted:
                return
            if wake:
                self.socket.sendall(message(KEEPALIVE))

    def arrivals(self):
        """When each prefix was seen for the first time, in order; and how many messages there were."""
        messages, seen, when = Messages(), set(), []
        messages.rest = self.messages.rest
        self.count = 0
        for now, data in self.chunks:
            for kind, body in messages.feed(data):
                if kind == NOTIFICATION:
                    raise SessionLost(f"NOTIFICATION {body[:2].hex()}")
                if kind != UPDATE:
                    continue
                new = [p for p in nlri(body) if p not in seen]
                self.count += bool(new)
                seen.update(new)
                when += [now] * len(new)
        return when

    def close(self):
        self.socket.close()


def connect(address, source, patience=20):
    """A connected socket to a speaker that may not listen yet."""
    end = time.monotonic() + patience
    while True:
        s = socket.socket()
        try:
            s.bind((source, 0))
            s.connect((address, 179))
            return s
        except OSError:
            s.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def accept(address, patience=60):
    """Listen on an address until its peer has connected; nobody listens there afterwards."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        listener.bind((address, 179))
        listener.listen(1)
        listener.settimeout(patience)
        return listener.accept()[0]
