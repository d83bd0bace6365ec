"""The far end of many BGP sessions (bgp_far.c), on a host of its own."""

import json
import subprocess

import benchlib as b
from netlab import wait_for

FAR_ASN = 64513
HOST = "10.60.0.9"


class Far:
    """Session i is with @first + i; orders go to its standard input."""

    def __init__(self, lab, lan, first=HOST, sessions=1, hold_s=9):
        program = b.compiled(lab.dir, "bgp_far")
        self.sessions = sessions
        self.host = lab.host("bgpfar", lan, f"{HOST}/16")
        if first != HOST:
            self.host.run(f"ip route add local {first}/21 dev lo")
        self.process = subprocess.Popen(self.host.args([program, first, sessions, FAR_ASN, hold_s]),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.host.processes.append(self.process)

    def ask(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def all_wait(self, patience=90):
        wait_for(lambda: self.ask("stats")["waiting"] == self.sessions, "all sessions wait in OpenConfirm", patience, 0.1)
