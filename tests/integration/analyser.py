"""Wireshark's dissectors in one process for many captures: loading them takes longer than looking through what most tests send."""

import json
import os
import subprocess

from netlab import OTHER_BGP_PORT

# As netlab.KNOWN_PORTS, in the words of Wireshark's own file.
DECODE_AS = f"""\
decode_as_entry: udp.port,7946,(none),Data
decode_as_entry: tcp.port,7946,(none),Data
decode_as_entry: udp.port,7947,(none),BFD Control
decode_as_entry: tcp.port,7947,(none),Data
decode_as_entry: tcp.port,{OTHER_BGP_PORT},(none),BGP
"""


class Analyser:
    def __init__(self, folder):
        """@folder is for its configuration."""
        (folder / "wireshark").mkdir(parents=True)
        (folder / "wireshark" / "decode_as_entries").write_text(DECODE_AS)
        self.process = subprocess.Popen(["sharkd", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL, env={**os.environ, "XDG_CONFIG_HOME": str(folder)})
        self.asked = 0

    def ask(self, method, **params):
        self.asked += 1
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, f"sharkd: {method}: {answer['error']}"
        return answer["result"]

    def frames(self, display_filter):
        """Number -> what a list of packets shows of it."""
        # It remembers what a filter's text has found, also from one file to the next: so no two are the same.
        shown = self.ask("frames", filter=f"({display_filter}) && frame.cap_len != {10 ** 8 + self.asked}")
        return {f["num"]: f["c"] for f in shown}

    def complaints(self, path, ours, allowed):
        """Frames of @ours, a display filter ("": all), that it marks as malformed, with a warning or worse; not where @allowed is said."""
        self.ask("load", file=str(path))
        excused = " || ".join(f'_ws.expert.message contains "{a}"' for a in allowed)
        marked = self.frames(f"(_ws.malformed || _ws.expert.severity >= 6291456) && ({ours or 'frame'}) && !({excused})")
        for note in self.ask("tap", tap0="expert")["taps"][0]["details"] if marked else ():
            if note["f"] in marked:
                marked[note["f"]].append(note["m"])
        return list(marked.values())

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
