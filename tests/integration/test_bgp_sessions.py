"""Sessions as such: who connects, who may, over how many hops, and what ends them."""

import errno
import socket

import pytest

from cluster import LAN, LAN6
from crierlab import Node
from netlab import wait_for
from test_bgp import ROUTERS, attributes

CONFIG = """
{bgp}
peers:
- name: r4
  peer-address: 10.50.0.1
  peer-asn: 64513
  my-asn: 64512
  hold-time: 9s
  {extra}
- name: r6
  peer-address: "fd50::1"
  peer-asn: 64513
  my-asn: 64512
  hold-time: 9s
  {extra}
address-pools:
- name: public
  protocol: bgp
  addresses: [198.51.100.0/24, "2001:db8:51::/64"]
services:
- {{name: web, addresses: [198.51.100.7, "2001:db8:51::7"]}}
"""
LISTEN = 'bgp: {listen: "[::]:179"}'
TTL = {"frr": "neighbor 10.50.0.11 ttl-security hops 1\n neighbor fd50::11 ttl-security hops 1",
       "bird": "ttl security on;",
       "gobgp": "[neighbors.ttl-security.config]\nenabled = true\nttl-min = 255",
       "openbgpd": "ttl-security yes", "exabgp": "incoming-ttl 255; outgoing-ttl 255;"}
PREFIXES = ("198.51.100.7/32", "2001:db8:51::7/128")


def make_pair(lab, kind, bgp="", extra="", more="", conf=None):
    lan = lab.switch("lan")
    cls, conf = ROUTERS[kind][0], conf or ROUTERS[kind][1]
    router = lab.host("router", lan, "10.50.0.1/24", "fd50::1/64", cls=cls)
    node = lab.host("a", lan, f"{LAN.format(11)}/24", f"{LAN6.format(11)}/64", cls=Node)
    router.start(conf.format(asn=64513, more=more))
    node.configure(CONFIG.format(bgp=bgp, extra=extra))
    return router, node


def established(node):
    return all(p["state"] == "established" for p in node.get("peers"))


def connections(node):
    """TCP connections of BGP: (who connected, …) by our side's ports."""
    lines = node.run("ss -Htn state established '( sport = :179 or dport = :179 )'").stdout.splitlines()
    return ["theirs" if line.split()[2].endswith(":179") else "ours" for line in lines]


@pytest.mark.parametrize("kind", ROUTERS)
def test_passive_peers_come_to_us(lab, kind):
    router, node = make_pair(lab, kind, LISTEN, "passive: true")
    node.start()
    if kind == "openbgpd":  # refused once, it waits for two minutes
        for address in ("10.50.0.11", "fd50::11"):
            router.bgpctl("neighbor", address, "clear")
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=40)
    assert connections(node) == ["theirs", "theirs"]
    assert not [p for p in node.status()["problems"] if "listen" in p["text"]]


@pytest.mark.parametrize("kind", ROUTERS)
def test_both_sides_connect(lab, kind):
    router, node = make_pair(lab, kind, LISTEN)
    node.start()
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=40)
    wait_for(lambda: established(node) and len(connections(node)) == 2, "one connection for each peer")


@pytest.mark.parametrize("kind", ROUTERS)
def test_md5_of_passive_peers_and_its_change(lab, kind):
    line = ROUTERS[kind][2]["password"]
    router, node = make_pair(lab, kind, LISTEN, "passive: true\n  password: wr0ng", line.format("s3cret", "s3cret"))
    node.start()
    router.run("sleep 2")
    assert not any(p["state"] == "established" for p in node.get("peers"))

    # The new password holds for the next attempt, without a new listener.
    node.configure(node.config.read_text().replace("wr0ng", "s3cret"))
    node.crier("reload")
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=60)
    assert connections(node) == ["theirs", "theirs"]


def kernel_has_tcp_ao():
    with socket.socket() as s:
        try:
            s.setsockopt(socket.IPPROTO_TCP, 38, bytes(288))
        except OSError as e:
            return e.errno != errno.ENOPROTOOPT
    return True


@pytest.mark.skipif(kernel_has_tcp_ao(), reason="this kernel has TCP-AO")
@pytest.mark.parametrize("passive", ["false", "true"])
def test_a_kernel_without_tcp_ao(lab, passive):
    """The peer stays down and says why, once; nobody without a signature is let in instead."""
    keys = "tcp-ao: {keys: [{send-id: 1, receive-id: 1, secret: s3cret}]}"
    router, node = make_pair(lab, "bird", LISTEN, f"passive: {passive}\n  {keys}")
    node.start()
    wait_for(lambda: all("no TCP-AO: it takes Linux 6.7" in p.get("last-error", "") for p in node.get("peers")), "it is told")
    wait_for(lambda: len([p for p in node.status()["problems"] if "CONFIG_TCP_AO" in p["text"]]) == 2, "status, too")
    wait_for(lambda: "reset by peer" in router.birdc("show protocols all") or
             "Connection closed" in router.birdc("show protocols all"), "the router was here")
    assert not established(node) and not router.routes(4).get(PREFIXES[0])
    assert len(node.events("sessionFailed")) == 2
    assert "s3cret" not in node.log.read_text()
    node.configure(node.config.read_text().replace(keys, ""))
    node.crier("reload")
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=40)


def test_nobody_comes_in_unsigned_where_the_kernel_takes_no_password(lab):
    router, node = make_pair(lab, "bird", LISTEN, "passive: true\n  password: s3cret")
    node.sysctl("net.core.optmem_max", 64)  # no room for keys
    node.start()
    wait_for(lambda: all("Cannot allocate memory" in p.get("last-error", "") for p in node.get("peers")), "it is told")
    wait_for(lambda: "reset by peer" in router.birdc("show protocols all") or
             "Connection closed" in router.birdc("show protocols all"), "the router was here")
    assert not established(node) and not router.routes(4).get(PREFIXES[0])
    router.conf.write_text(router.conf.read_text().replace("connect retry", 'password "s3cret"; connect retry'))
    router.birdc("configure")
    node.sysctl("net.core.optmem_max", 131072)  # there is room now, and it is tried again
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=40)


@pytest.mark.parametrize("passive", [False, True])
@pytest.mark.parametrize("kind", ROUTERS)
def test_ttl_security(lab, kind, passive):
    router, node = make_pair(lab, kind, LISTEN, f"ttl-security: 1\n  passive: {str(passive).lower()}", TTL[kind])
    node.start()
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=40)
    # A router further away than it says: nothing of it is heard.
    wait_for(lambda: established(node), "both sessions")
    router.run("nft add table inet far '{ chain out { type filter hook output priority 0; "
               "tcp dport 179 ip ttl set 254; tcp sport 179 ip ttl set 254; "
               "tcp dport 179 ip6 hoplimit set 254; tcp sport 179 ip6 hoplimit set 254; }; }'")
    wait_for(lambda: not any(p["state"] == "established" for p in node.get("peers")), "both sessions end", 20)
    router.run("nft delete table inet far")
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=60)


@pytest.mark.parametrize("listen", ["", LISTEN])
@pytest.mark.parametrize("kind", ROUTERS)
def test_a_session_in_its_vrf(lab, kind, listen):
    """What a VRF is to a socket, a device, leads to the router where the host's own routes lead elsewhere."""
    router, node = make_pair(lab, kind, listen, "vrf: eth0" + "\n  passive: true" * bool(listen))
    lab.plug(node, lab.switch("elsewhere"), "eth1", "10.50.0.12/24", "fd50::12/64")
    for network, ip in (("10.50.0.0/24", "ip"), ("fd50::/64", "ip -6")):
        node.run(f"{ip} route del {network} dev eth0")
        node.run(f"{ip} route add {network} dev eth0 metric 5000")
    assert "dev eth1" in node.run("ip route get 10.50.0.1").stdout
    node.start()
    if kind == "openbgpd" and listen:
        for address in ("10.50.0.11", "fd50::11"):
            router.bgpctl("neighbor", address, "clear")
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=40)
    assert connections(node) == ["theirs" if listen else "ours"] * 2


def test_a_vrf_that_is_not_there(lab):
    """It is told what is missing, and tried again."""
    router, node = make_pair(lab, "bird", extra="vrf: blue")
    node.start()
    wait_for(lambda: all(p.get("last-error") == "bind to device blue: No such device" for p in node.get("peers")), "it is told")
    wait_for(lambda: len([p for p in node.status()["problems"] if "device blue: No such device" in p["text"]]) == 2, "status, too")
    lab.plug(node, lab.switch("elsewhere"), "blue", "10.50.0.12/24", "fd50::12/64")
    wait_for(lambda: not any("No such device" in p.get("last-error", "") for p in node.get("peers")), "it is found", 20)


@pytest.mark.parametrize("kind", ROUTERS)
def test_next_hop_of_a_peer(lab, kind):
    router, node = make_pair(lab, kind, extra='next-hop: [10.50.0.99, "fd50::99"]')
    node.start()
    for prefix, hop in zip(PREFIXES, ("10.50.0.99", "fd50::99")):
        router.wait_route(prefix)
        assert attributes(kind, router, prefix)[3] == hop


@pytest.mark.parametrize("kind", ["bird", "frr"])
def test_another_as_for_a_peer(lab, kind):
    """The peer takes us for the other AS; our own follows it in the path."""
    router, node = make_pair(lab, kind, extra="local-asn: 64700", conf=ROUTERS[kind][1].replace("64512", "64700"))
    node.start()
    for prefix in PREFIXES:
        router.wait_route(prefix)
        assert attributes(kind, router, prefix)[2] == ["64700", "64512"]


def test_too_many_prefixes_end_the_session(lab):  # FRR sends back what it hears from us: one more
    router, node = make_pair(lab, "frr", extra="max-prefix: 4")
    node.start()
    router.wait_route(PREFIXES[0])
    router.vtysh("configure terminal", "router bgp 64513", "no bgp network import-check",
                 "address-family ipv4 unicast", *[f"network 192.0.2.{i}/32" for i in range(3)])
    router.run("sleep 1")
    assert established(node)
    router.vtysh("configure terminal", "router bgp 64513", "address-family ipv4 unicast", "network 192.0.2.3/32")
    wait_for(lambda: node.get("peers", "r4")[0]["state"] != "established", "the limit ends the session")
    peer = node.get("peers", "r4")[0]
    assert peer["last-error"] == "the peer announces more than 4 prefixes"
    assert "Maximum Number of Prefixes" in peer["last-notification-sent"]["what"]
    assert node.get("peers", "r6")[0]["state"] == "established"
    wait_for(lambda: "10.50.0.11" in router.vtysh("show bgp summary failed"), "the router sees why")


def test_a_port_that_is_taken_is_a_problem_and_not_the_end(lab):
    router, node = make_pair(lab, "bird", LISTEN)
    taken = node.popen(["python3", "-c", "import socket, time; s = socket.create_server(('', 179)); time.sleep(600)"],
                       "taken.log")
    wait_for(lambda: ":179" in node.run("ss -Htln").stdout, "somebody has the port")
    node.start()
    for prefix in PREFIXES:
        router.wait_route(prefix)
    wait_for(lambda: [p for p in node.status()["problems"] if "does not listen on 0.0.0.0:179" in p["text"]],
             "the problem is told")
    assert len(node.events("bgpListenFailed")) == 1
    taken.kill()
    taken.wait()
    wait_for(lambda: not [p for p in node.status()["problems"] if "listen" in p["text"]], "it goes away by itself")


ROLES = {"frr": "neighbor 10.50.0.11 local-role customer\n neighbor fd50::11 local-role customer",
         "bird": "local role customer;", "openbgpd": "announce policy customer"}


@pytest.mark.parametrize("kind", ROLES)
def test_roles(lab, kind):
    router, node = make_pair(lab, kind, extra="role: provider", more=ROLES[kind])
    node.start()
    router.wait_route(PREFIXES[0])
    if kind == "bird":
        assert router.routes(4)[PREFIXES[0]][0].get("BGP.otc") == "64512"
    node.configure(node.config.read_text().replace("role: provider", "role: peer"))
    node.crier("reload")
    wait_for(lambda: all("role" in p.get("last-error", "") for p in node.get("peers")), "both say what is wrong")


def test_extended_messages_and_marks_of_a_refresh(lab, capture):
    router, node = make_pair(lab, "bird", more="enable extended messages on;")
    node.start()
    router.wait_route(PREFIXES[0])
    for name in ("r4", "r6"):
        assert {"extended-message", "enhanced-route-refresh"} <= set(node.get("peers", name)[0]["capabilities"])
    lines = "".join(f"announce 172.{16 + i // 65536}.{i // 256 % 256}.{i % 256}/32\n" for i in range(5000))
    frames = capture(router)
    node.run([node.binary, "announce", "-"], input=lines, env=node.env)
    wait_for(lambda: len(router.routes(4)) >= 5001, "all routes")
    router.birdc("reload in v4")
    wait_for(lambda: node.get("peers", "r4")[0]["messages-out"]["refresh"] == 2, "a mark before and one after")
    wait_for(lambda: len(router.routes(4)) >= 5001, "all routes are still there")
    longest = max(int(n) for line in frames.stop().fields("bgp", "bgp.length")
                  for n in line[0].split(",") if n)
    assert longest > 20000, longest
    assert all(p["flaps"] == 0 for p in node.get("peers"))


@pytest.mark.parametrize("kind", ROUTERS)
def test_leaving_for_good(lab, kind):
    """Routes ask for another path first (RFC 8326), then they go, then the session does."""
    router, node = make_pair(lab, kind)
    node.start()
    for prefix in PREFIXES:
        router.wait_route(prefix)
    leaving = node.popen([node.binary, "drain", "--timeout", "3s"], env=node.env)
    for prefix in PREFIXES:
        wait_for(lambda p=prefix: attributes(kind, router, p)[1] & {"65535:0", "gracefulShutdown", "GRACEFUL_SHUTDOWN"},
                 f"{prefix} is marked")
    assert established(node)
    for prefix in PREFIXES:
        router.wait_no_route(prefix)
    assert leaving.wait(20) == 0
    assert not any(p["state"] == "established" for p in node.get("peers"))
    node.crier("undrain")
    for prefix in PREFIXES:
        router.wait_route(prefix, timeout=40)
        assert not attributes(kind, router, prefix)[1]
