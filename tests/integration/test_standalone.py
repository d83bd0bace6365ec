"""Plain hosts: addresses on links, health, crashes, reloads. Nothing that we did not add is ever touched."""

import json
import os
import signal
import time

from cluster import document, lan_nodes, start_all, wait_owner
from crierlab import Frr, Node
from netlab import Pinger, wait_for

ONE = """
    address-pools:
    - name: lan
      protocol: layer2
      addresses: [10.50.0.200-10.50.0.220]
    services:
    - name: web
      addresses: [10.50.0.200]
"""


def addresses(host, link="eth0"):
    shown = json.loads(host.run(f"ip -j addr show {link}").stdout)
    return {f"{a['local']}/{a['prefixlen']}" for i in shown for a in i["addr_info"]}


def test_bound_address_is_a_host_address_and_goes_on_exit(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    before = addresses(node)
    start_all([node], ONE, cluster=False)
    wait_for(lambda: node.has_address("10.50.0.200"), "bound")
    assert addresses(node) - before == {"10.50.0.200/32"}
    assert "10.50.0.200" not in node.run("ip route show table main").stdout
    assert node.stop() == 0
    assert addresses(node) == before


def test_foreign_address_is_left_alone(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    node.run("ip addr add 10.50.0.200/32 dev eth0")
    start_all([node], ONE, cluster=False)
    wait_owner([node], "10.50.0.200")
    assert node.stop() == 0
    assert "10.50.0.200/32" in addresses(node)


def test_kill_leaves_nothing_behind(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    before = addresses(node)
    start_all([node], ONE, cluster=False)
    wait_for(lambda: node.has_address("10.50.0.200"), "bound")
    node.kill()
    wait_for(lambda: addresses(node) == before, "the keeper removed it", 1, 0.005)


def test_started_without_standard_descriptors(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    before = addresses(node)
    node.configure(document([node], ONE, cluster=False))
    node.daemon = node.popen(["sh", "-c", f'exec {node.binary} run -f {node.config} --node a <&- >&- 2>&-'],
                             "crier.log", env=node.env)
    wait_for(node.is_up, "it answers", 20)
    wait_for(lambda: node.has_address("10.50.0.200"), "bound")
    fds = {n: os.readlink(f"/proc/{node.pid()}/fd/{n}") for n in range(3)}
    assert set(fds.values()) == {"/dev/null"}
    node.kill()
    wait_for(lambda: addresses(node) == before, "the keeper removed it", 1, 0.005)


def test_next_start_cleans_up_after_a_crash_of_everything(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], ONE, cluster=False)
    wait_for(lambda: node.has_address("10.50.0.200"), "bound")
    for pid in node.pids():
        os.kill(pid, signal.SIGSTOP)          # so that no helper process can act
    for pid in node.pids():
        os.kill(pid, signal.SIGKILL)
    node.daemon.wait()
    assert node.has_address("10.50.0.200")
    node.run("ip addr add 10.50.0.77/32 dev eth0")
    node.configure(document([node], ONE.replace("10.50.0.200]", "10.50.0.201]"), cluster=False))
    node.start()
    wait_for(lambda: node.has_address("10.50.0.201"), "the new address is bound")
    assert not node.has_address("10.50.0.200"), "left over from the crash"
    assert node.has_address("10.50.0.77"), "not ours, not touched"


def test_bind_none_and_a_named_link(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    before = addresses(node)
    start_all([node], """
    address-pools:
    - {name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}
    services:
    - {name: none, addresses: [10.50.0.200], bind: none}
    - {name: named, addresses: [10.50.0.201], bind: lo}
    """, cluster=False)
    wait_for(lambda: "10.50.0.201/32" in addresses(node, "lo"), "bound to lo")
    wait_owner([node], "10.50.0.200")
    assert addresses(node) == before


def test_bgp_addresses_are_bound_to_lo(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], """
    peers: [{peer-address: 10.50.0.1, peer-asn: 64513, my-asn: 64512}]
    address-pools: [{name: p, protocol: bgp, addresses: [198.51.100.0/24]}]
    services: [{name: web, addresses: [198.51.100.7]}]
    """, cluster=False)
    wait_for(lambda: "198.51.100.7/32" in addresses(node, "lo"), "bound to lo")


def test_health_check_moves_the_address(lab):
    lan, client, nodes = lan_nodes(lab, "ab")
    servers = {}
    for n in nodes:
        (n.dir / "www").mkdir()
        (n.dir / "www" / "healthz").write_text(n.name)
        servers[n.name] = n.popen(f"python3 -m http.server 8080 -d {n.dir}/www", "www.log")
    start_all(nodes, ONE + """
      health-check: {http: "http://127.0.0.1:8080/healthz", interval: 100ms, timeout: 80ms, rise: 2, fall: 2}
    """)
    owner = wait_owner(nodes, "10.50.0.200")
    client.run("curl -s --max-time 3 http://10.50.0.200:8080/healthz")
    os.kill(servers[owner.name].pid, signal.SIGKILL)
    heir = wait_for(lambda: next((n for n in nodes if n is not owner and n.owns("10.50.0.200")), None),
                    "the healthy node owns it", 10)
    wait_for(lambda: not owner.has_address("10.50.0.200"), "the sick one let go")
    assert client.run("curl -s --max-time 3 http://10.50.0.200:8080/healthz").stdout == heir.name


def test_no_healthy_node_no_answer(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], ONE + """
      health-check: {tcp: "127.0.0.1:9", interval: 100ms, timeout: 80ms}
    """, cluster=False)
    time.sleep(0.5)
    assert not node.owns("10.50.0.200") and not node.has_address("10.50.0.200")
    why = node.crier("explain", "web").stdout
    assert "not announced" in why and "health" in why, why


def test_a_node_without_a_fitting_link_is_no_candidate(lab):
    """The ranking's first node has no network that holds the address: another one owns it, and it says why."""
    lan = lab.switch("lan")
    nodes = [lab.host(n, lan, f"10.50.0.{11 + i}/24", cls=Node) for i, n in enumerate("ab")]
    nodes[1].run("ip addr add 10.60.0.12/24 dev eth0")
    start_all(nodes, """
    address-pools: [{name: lan, protocol: layer2, addresses: [10.60.0.200-10.60.0.220]}]
    services: [{name: one, addresses: [10.60.0.200]}, {name: two, addresses: [10.60.0.201]},
               {name: three, addresses: [10.60.0.202]}, {name: four, addresses: [10.60.0.203]}]
    """)
    everything = [f"10.60.0.{n}" for n in range(200, 204)]
    wait_for(lambda: all(nodes[1].owns(a) and not nodes[0].owns(a) for a in everything), "b owns all of them")
    assert "no link" in str(nodes[0].status()["problems"])
    nodes[0].run("ip addr add 10.60.0.11/24 dev eth0")
    wait_for(lambda: any(nodes[0].owns(a) for a in everything), "a takes part now", 20)
    wait_for(lambda: nodes[0].status()["healthy"], "and has nothing to complain about")


def test_allocation_survives_restart_and_reordering(lab):
    text = """
    address-pools: [{{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}}]
    services: [{}]
    """
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], text.format("{name: one}, {name: two}"), cluster=False)

    def have():
        return {s["name"]: s["addresses"] for s in node.get("services")}
    wait_for(lambda: all(have().values()), "both have an address")
    first = have()
    assert sorted(sum(first.values(), [])) == ["10.50.0.200", "10.50.0.201"]
    node.configure(document([node], text.format("{name: zero}, {name: two}, {name: one}"), cluster=False))
    node.crier("reload")
    wait_for(lambda: len(have()) == 3 and all(have().values()), "the new one has an address too")
    assert {k: have()[k] for k in first} == first
    second = have()
    assert node.stop() == 0
    node.start()
    wait_for(lambda: all(have().values()), "all have addresses again")
    assert have() == second


def test_members_agree_on_allocations(lab):
    text = """
    address-pools: [{{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}}]
    services: [{}]
    """
    lan, client, nodes = lan_nodes(lab, "abc")
    start_all(nodes, text.format("{name: one}, {name: two}"))

    def agree():
        seen = [{s["name"]: s["addresses"] for s in n.get("services")} for n in nodes]
        return all(s == seen[0] and all(s.values()) for s in seen) and seen[0]
    first = wait_for(agree, "all nodes have the same allocation")
    # The new file reaches the nodes one after the other, with a new service in front.
    for n in nodes:
        n.configure(document(nodes, text.format("{name: zero}, {name: one}, {name: two}")))
    for n in nodes:
        n.crier("reload")
    second = wait_for(lambda: (a := agree()) and len(a) == 3 and a, "all agree about the new one")
    assert {k: second[k] for k in first} == first


RELOADED = """
    peers: [{{name: r, peer-address: 10.50.0.1, peer-asn: 64513, my-asn: 64512}}]
    address-pools:
    - {{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}}
    - {{name: public, protocol: bgp, addresses: [198.51.100.0/24]}}
    services:
    - {{name: web, addresses: [10.50.0.200]}}
    - {{name: api, addresses: [198.51.100.7]}}
    - {{name: extra, addresses: [10.50.0.{extra}]}}
"""
FRR = """
router bgp 64513
 bgp router-id 10.50.0.1
 no bgp ebgp-requires-policy
 neighbor 10.50.0.11 remote-as 64512
 neighbor 10.50.0.11 timers connect 1
 neighbor 10.50.0.12 remote-as 64512
 neighbor 10.50.0.12 timers connect 1
"""


def test_twenty_reloads_lose_nothing(lab):
    lan, client, nodes = lan_nodes(lab, "ab")
    router = lab.host("router", lan, "10.50.0.1/24", cls=Frr)
    router.start(FRR)
    client.run("ip route add 198.51.100.0/24 via 10.50.0.1")
    start_all(nodes, RELOADED.format(extra=210))
    wait_owner(nodes, "10.50.0.200")
    router.wait_route("198.51.100.7/32", 2)
    client.run("ping -c 1 -W 3 10.50.0.200")
    client.run("ping -c 1 -W 3 198.51.100.7")
    pings = [Pinger(client, "10.50.0.200"), Pinger(client, "198.51.100.7")]
    for p in pings:
        p.wait_replies(100)
    for i in range(20):
        for n in nodes:
            n.configure(document(nodes, RELOADED.format(extra=211 + i % 2)))
            n.crier("reload")
    for p in pings:
        p.wait_replies(100)
        result = p.stop()
        assert result.lost == 0, result
    assert all(p["flaps"] == 0 for n in nodes for p in n.get("peers"))


def test_bad_reload_changes_nothing_and_says_why(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], ONE, cluster=False)
    wait_owner([node], "10.50.0.200")
    good = node.config.read_text()
    node.configure(good.replace("protocol: layer2", "protocol: layer3"))
    refused = node.crier("reload", check=False)
    assert refused.returncode == 1
    assert "layer3" in refused.stdout + refused.stderr and "layer2" in refused.stdout + refused.stderr
    assert node.owns("10.50.0.200")
    status = node.status()
    assert not status["healthy"] and any("layer3" in str(p) for p in status["problems"])
    events = [json.loads(line) for line in node.log.read_text().splitlines()]  # and nothing that a program could not read
    told = [e for e in events if e["event"] == "configError"]
    assert [(e["level"], e["path"], e["line"] > 0) for e in told] == [("error", "address-pools[0].protocol", True)], told
    node.configure(good)
    assert node.crier("reload").returncode == 0
    assert node.status()["healthy"]


def test_hangup_reloads_too(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], ONE, cluster=False)
    wait_owner([node], "10.50.0.200")
    node.configure(node.config.read_text().replace("addresses: [10.50.0.200]", "addresses: [10.50.0.201]"))
    node.daemon.send_signal(signal.SIGHUP)
    wait_owner([node], "10.50.0.201")
    wait_for(lambda: node.has_address("10.50.0.201") and not node.has_address("10.50.0.200"), "moved on the link")


def test_a_hangup_that_comes_too_early_waits(lab):
    """The configuration comes through a pipe, so that the start takes as long as we like; and can't be read twice."""
    lan, client, (node,) = lan_nodes(lab, "a")
    os.mkfifo(node.config)
    node.start(ready=False)

    def opened():
        try:
            return os.fdopen(os.open(node.config, os.O_WRONLY | os.O_NONBLOCK), "w")
        except OSError:
            return None                       # it is not being read yet
    with wait_for(opened, "the configuration is being read") as pipe:
        node.daemon.send_signal(signal.SIGHUP)
        pipe.write(document([node], ONE, cluster=False))
    wait_for(lambda: "not a file" in node.log.read_text(), "the hangup is heard, and refused for what it is")
    wait_owner([node], "10.50.0.200")


def test_pool_that_shrinks_under_a_service_is_refused(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], ONE.replace("addresses: [10.50.0.200]\n", "address-pool: lan\n"), cluster=False)
    wait_owner([node], "10.50.0.200")
    node.configure(node.config.read_text().replace("10.50.0.200-10.50.0.220", "10.50.0.205-10.50.0.220"))
    refused = node.crier("reload", check=False)
    assert refused.returncode == 1 and "web" in refused.stderr and "crier reload --force" in refused.stderr
    assert node.owns("10.50.0.200")


def test_a_file_that_was_emptied_is_refused(lab):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], ONE, cluster=False)
    wait_owner([node], "10.50.0.200")
    for empty in ("", "# to be filled\n", node.config.read_text().split("services:")[0]):
        node.configure(empty)
        refused = node.crier("reload", check=False)
        assert refused.returncode == 1 and "all services (1)" in refused.stderr
        assert "crier reload --force" in refused.stderr
        assert node.owns("10.50.0.200") and not node.status()["healthy"]
    assert "services/web" in node.crier("reload", "--force").stdout
    wait_for(lambda: not node.owns("10.50.0.200"), "it is let go of")


def test_leak_free_exit(lab):
    """The debug build's LeakSanitizer speaks through the exit code."""
    lan, client, nodes = lan_nodes(lab, "ab")
    start_all(nodes, ONE)
    wait_owner(nodes, "10.50.0.200")
    nodes[0].crier("reload")
    assert [n.stop() for n in nodes] == [0, 0]
    for n in nodes:
        assert "Sanitizer" not in n.log.read_text()
