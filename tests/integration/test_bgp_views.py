"""What people see of BGP sessions: columns, messages in words and as a capture, metrics."""

import json
import subprocess

from netlab import wait_for
from test_announce import make_pair


def messages(node, peer="r4"):
    return json.loads(node.crier("get", "peers", peer, "messages", "-o", "json").stdout)["items"]


def texts(node, state, kind, peer="r4"):
    return [m["text"] for m in messages(node, peer) if (m["state"], m["type"]) == (state, kind)]


def test_columns_of_peers(lab):
    _, node = make_pair(lab, "bird")
    head, *rows = node.crier("get", "peers").stdout.splitlines()
    for column in ("AS", "MSG RCVD", "MSG SENT", "OUT Q", "UP/DOWN", "STATE", "PFX RCD", "PFX SENT"):
        assert column in head
    assert len(rows) == 2
    head, *rows = node.crier("get", "peers", "-o", "wide").stdout.splitlines()
    assert "HOLD" in head and "CAPABILITIES" in head and "multiprotocol" in rows[0]
    peer = node.get("peers", "r4")[0]
    assert peer["families"] == ["ipv4"] and peer["router-id"] == "10.50.0.1"
    assert peer["messages-sent"] == sum(peer["messages-out"].values()) >= 3
    assert peer["state-time-s"] < 30


def test_messages_in_words_and_as_a_capture(lab, tmp_path):
    router, node = make_pair(lab, "bird")
    node.crier("announce", "203.0.113.0/24", "--community", "64512:9", "--med", "7")
    router.wait_route("203.0.113.0/24")
    assert any("announces 203.0.113.0/24" in t and "as-path 64512" in t and "communities 64512:9" in t and "med 7" in t
               for t in texts(node, "sent", "UPDATE"))
    assert any("AS 64512" in t and "hold time 9 s" in t for t in texts(node, "sent", "OPEN"))
    assert any("AS 64513" in t and "id 10.50.0.1" in t for t in texts(node, "received", "OPEN"))
    assert any("End-of-RIB" in t for t in texts(node, "sent", "UPDATE"))

    # Notifications in both directions, with what they say.
    node.crier("peer", "r4", "down", "--text", "new cables")
    wait_for(lambda: any("Administrative Shutdown (6/2): new cables" in t
                         for t in texts(node, "sent", "NOTIFICATION")), "the shutdown is shown")
    peer = node.get("peers", "r4")[0]
    assert peer["last-notification-sent"]["text"] == "new cables"
    assert "Administrative Shutdown" in peer["last-notification-sent"]["what"]
    router.birdc("disable v6")
    wait_for(lambda: texts(node, "received", "NOTIFICATION", "r6"), "the router's word is shown")
    assert "Administrative Shutdown" in node.get("peers", "r6")[0]["last-notification-received"]["what"]

    # The same for Wireshark.
    for peer in ("r4", "r6"):
        file = tmp_path / f"{peer}.pcapng"
        node.crier("get", "peers", peer, "messages", "--save", file)
        shown = subprocess.run(["tshark", "-r", file, "-T", "fields", "-e", "bgp.type", "-e", "_ws.malformed"],
                               capture_output=True, text=True, check=True).stdout
        types = [t for line in shown.splitlines() for t in line.split("\t")[0].split(",")]
        assert types.count("1") >= 2 and types.count("3") >= 1 and "2" in types and "4" in types
        assert all(not line.split("\t")[1] for line in shown.splitlines())
    assert node.crier("get", "peers", "r5", "messages", check=False).returncode == 1
    assert node.crier("get", "services", "web", "messages", check=False).returncode != 0


def test_metrics_of_sessions(lab):
    _, node = make_pair(lab, "bird")
    text = node.run("curl -s --max-time 3 http://127.0.0.1:7472/metrics").stdout
    samples = [line for line in text.splitlines() if "10.50.0.1:179" in line]
    for name in ("metallb_bgp_session_up", "metallb_bgp_updates_total", "metallb_bgp_announced_prefixes_total",
                 "metallb_bgp_pending_prefixes_total", "metallb_bgp_opens_sent", "metallb_bgp_opens_received",
                 "metallb_bgp_notifications_sent", "metallb_bgp_updates_total_received",
                 "metallb_bgp_keepalives_sent", "metallb_bgp_keepalives_received",
                 "metallb_bgp_route_refresh_sent", "metallb_bgp_total_sent", "metallb_bgp_total_received",
                 "crier_bgp_session_flaps_total", "crier_bgp_queued_bytes"):
        assert any(s.startswith(name + '{peer="10.50.0.1:179"}') for s in samples), name
    assert any('crier_bgp_messages_total{peer="10.50.0.1:179",direction="out",type="OPEN"} 1' in s for s in samples)
    assert any('crier_bgp_state_seconds{peer="10.50.0.1:179",state="Established"}' in s for s in samples)
    assert len(set(s.rsplit(" ", 1)[0] for s in samples)) == len(samples)
