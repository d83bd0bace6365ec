"""What the benchmarks share: sockets inside namespaces, processes as the kernel accounts for them, tables.

Nothing here judges a figure. Machines differ and are shared: what counts is the ratio of two rows of one table.
"""

import contextlib
import ctypes
import os
import pathlib
import platform
import re
import select
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "lab"))

from netlab import Host  # noqa: E402

Host.own_sessions = True

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


class Busy:
    """All cores, twice over: so many processes that only count, each a service of its own."""

    def __enter__(self):
        self.processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
                          for _ in range(2 * os.cpu_count())]
        return self

    def __exit__(self, *_):
        for p in self.processes:
            p.kill()
            p.wait()


@contextlib.contextmanager
def inside(host):
    """What this thread opens or starts meanwhile belongs to the host's network; without `ip netns exec`'s cost."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{host.ns}", os.O_RDONLY)
    try:
        if LIBC.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        LIBC.setns(home, CLONE_NEWNET)
        os.close(there)
        os.close(home)


# --- processes ---

def read(path):
    return pathlib.Path(path).read_text()


def tree(pid):
    """A process and everything below it."""
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        for child in read(f"/proc/{pid}/task/{task}/children").split():
            found += tree(int(child))
    return found


def name_of(pid):
    return read(f"/proc/{pid}/comm").strip()


def tasks(pid):
    """{thread number: its name}"""
    return {int(t): read(f"/proc/{pid}/task/{t}/comm").strip() for t in os.listdir(f"/proc/{pid}/task")}


def task_cpu_ns(pid, task):
    return int(read(f"/proc/{pid}/task/{task}/schedstat").split()[0])


def task_waits(pid, task):
    """Voluntary context switches: each is one time that the thread went to sleep, and was woken."""
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", read(f"/proc/{pid}/task/{task}/status"), re.M)[1])


def count_processes(name):
    """How many processes of a name there are, with their helpers of the same program."""
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            found += os.path.basename(os.readlink(f"/proc/{pid}/exe")) == name
    return found


class Account:
    """CPU time and wake-ups of some processes, thread by thread, since this was made."""

    def __init__(self, pids):
        self.threads = [(p, t, n if n == name_of(p) else f"{name_of(p)}/{n}") for p in pids
                        for t, n in tasks(p).items()]
        self.began = time.monotonic()
        self.before = self.now()

    def now(self):
        return [(task_cpu_ns(p, t), task_waits(p, t)) for p, t, _ in self.threads]

    def since(self):
        """[(thread's name, CPU ns, wake-ups)]"""
        return [(name, cpu - cpu0, waits - waits0)
                for (_, _, name), (cpu, waits), (cpu0, waits0) in zip(self.threads, self.now(), self.before)]

    def cpu_ns(self):
        return sum(cpu for _, cpu, _ in self.since())

    def waits(self):
        return sum(waits for _, _, waits in self.since())


def memory(pid):
    """{"Pss": KiB, "Rss": …, "Private_Dirty": …}"""
    return {k: int(v) for k, v in re.findall(r"^(\w+):\s+(\d+) kB", read(f"/proc/{pid}/smaps_rollup"), re.M)}


def mappings(pid):
    """[(path or [name], {"Pss": KiB, …})] of every mapping. Anonymous memory behind a file counts as that file's."""
    found, path = [], ""
    for line in read(f"/proc/{pid}/smaps").splitlines():
        head = re.match(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)\s*(.*)$", line)
        if head:
            # A library's .bss stands nameless behind it.
            path = head[2] or (path if path.startswith("/") and head[1] == "0" else "[anonymous]")
            found.append((path, {}))
            continue
        field = re.match(r"^(\w+):\s+(\d+) kB", line)
        if field:
            found[-1][1][field[1]] = int(field[2])
    return found


# --- ARP by hand ---

class RawClient:
    """A packet socket of a host, for one protocol, with the kernel's receive time stamps."""

    SO_TIMESTAMPNS = 35

    def __init__(self, host, link, protocol):
        self.mac = bytes.fromhex(host.mac(link).replace(":", ""))
        with inside(host):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
            self.socket.bind((link, protocol))
        self.socket.setsockopt(socket.SOL_SOCKET, self.SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)

    def frames(self, shortest):
        """(arrival in ns of CLOCK_REALTIME, frame) of all that has come, but for what is too long or too short."""
        while True:
            try:
                frame, controls, flags, _ = self.socket.recvmsg(128, 64)
            except BlockingIOError:
                return
            if flags & socket.MSG_TRUNC or len(frame) < shortest:
                continue
            stamp = next(data for _, kind, data in controls if kind == self.SO_TIMESTAMPNS)
            seconds, ns = struct.unpack("qq", stamp[:16])
            yield seconds * 10**9 + ns, frame


class ArpClient(RawClient):
    """Asks for addresses from a raw socket of a host, and hears what is said about them."""

    def __init__(self, host, address, link="eth0"):
        super().__init__(host, link, 0x0806)
        self.ip = socket.inet_aton(address)

    def request(self, address):
        return (b"\xff" * 6 + self.mac + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) +
                self.mac + self.ip + bytes(6) + socket.inet_aton(address))

    def packets(self):
        """[(arrival in ns of CLOCK_REALTIME, operation, sender's address, target's address)]"""
        return [(at, struct.unpack("!H", frame[20:22])[0], socket.inet_ntoa(frame[28:32]), socket.inet_ntoa(frame[38:42]))
                for at, frame in self.frames(42)]

    def replies(self, address):
        """How many replies for an address have come since the last look."""
        return sum(operation == 2 and sender == address for _, operation, sender, _ in self.packets())

    def ask(self, address, patience=0.2):
        """Nanoseconds from just before the request to the reply's arrival at this host, or None."""
        self.packets()
        frame = self.request(address)
        asked = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self.socket.send(frame)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            select.select([self.socket], [], [], 0.02)
            for arrived, operation, sender, _ in self.packets():
                if operation == 2 and sender == address:
                    return arrived - asked
        return None


# --- words and tables ---

def spread(values, form="{:.1f}"):
    """median (least–most)"""
    if not values:
        return "–"
    least, middle, most = (form.format(v) for v in (min(values), statistics.median(values), max(values)))
    return middle if least == most else f"{middle} ({least}–{most})"


def ratio(values, reference):
    if not values or not reference:
        return "–"
    found = statistics.median(values) / statistics.median(reference)
    return f"{found:.2f}" if found >= 0.01 else "< 0.01"


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join("---" for _ in head) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)


def say(text):
    print(text, file=sys.stderr, flush=True)


def compiled(directory, name):
    """The C program tests/bench/NAME.c, built there."""
    program = directory / name
    source = ROOT / "tests" / "bench" / f"{name}.c"
    subprocess.run(["cc", "-D_GNU_SOURCE", "-O2", "-o", program, source], check=True)
    return program


def version(command, pattern=r"(\d+\.\d+[.\d]*)"):
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "?"


def machine():
    """One line that says where the figures are from."""
    model = re.search(r"^model name\s*:\s*(.*)$", read("/proc/cpuinfo"), re.M)
    return (f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), Linux {platform.release()}, "
            f"load {os.getloadavg()[0]:.1f} when it ended")


def installed(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")
