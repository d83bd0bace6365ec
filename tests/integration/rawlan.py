"""A raw socket on a host's link: single ARP requests in any form, and who answers them, when."""

import select
import socket
import struct
import threading
import time

from netlab import inside

EVERYBODY = b"\xff" * 6
NOBODY = bytes(6)


def packed(mac):
    return bytes.fromhex(mac.replace(":", ""))


def unpacked(mac):
    return ":".join(f"{byte:02x}" for byte in mac)


class RawArp:
    def __init__(self, host, address, link="eth0"):
        self.mac = packed(host.mac(link))
        self.ip = socket.inet_aton(address)
        self.socket = inside(host.ns, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)))
        self.socket.bind((link, 0x0806))
        self.socket.setblocking(False)

    def request(self, address, to=EVERYBODY, sender=None, target_mac=NOBODY, padding=0):
        ip = self.ip if sender is None else socket.inet_aton(sender)
        return (to + self.mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + self.mac + ip + target_mac +
                socket.inet_aton(address) + bytes(padding))

    def frames(self):
        """What has come and not been looked at."""
        while True:
            try:
                yield self.socket.recv(256)
            except BlockingIOError:
                return

    def replies(self, address):
        """The Ethernet addresses that replies for an address came from, in order."""
        ip = socket.inet_aton(address)
        return [unpacked(f[22:28]) for f in self.frames() if f[20:22] == b"\x00\x02" and f[28:32] == ip and
                f[:6] == self.mac]

    def ask(self, address, patience=2.0, **form):
        """Who answers one request; None: nobody."""
        list(self.frames())
        self.socket.send(self.request(address, **form))
        end = time.monotonic() + patience
        while time.monotonic() < end:
            select.select([self.socket], [], [], 0.05)
            for mac in self.replies(address):
                return mac
        return None


class Watch(threading.Thread):
    """Asks for an address all the time; who answered, and when last."""

    def __init__(self, arp, address, every=0.003):
        super().__init__(daemon=True)
        self.arp, self.address, self.every = arp, address, every
        self.last = {}
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(self.every):
            self.arp.socket.send(self.arp.request(self.address))
            for mac in self.arp.replies(self.address):
                self.last[mac] = time.monotonic()

    def stop(self):
        self.over.set()
        self.join()
