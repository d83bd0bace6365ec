"""TCP connections to an address that leaves its host."""

import subprocess

import pytest

from cluster import lan_nodes, start_all, wait_owner
from netlab import wait_for

WEB = "10.50.0.200"
CONF = """
    address-pools:
    - {{name: lan, protocol: layer2, addresses: [10.50.0.200-10.50.0.220]}}
    services:
    - {{name: other, addresses: [10.50.0.201]}}
    {more}
    l2: {{end-connections: {end}}}
"""
SERVICE = "- {name: web, addresses: [10.50.0.200]}"
# A socket for both families, as most servers have it.
SERVER = ("import socket; s = socket.create_server(('::', 8080), family=socket.AF_INET6, dualstack_ipv6=True)\n"
          "held = []\nwhile True: held.append(s.accept())")
CLIENT = (f"import socket; s = socket.create_connection(('{WEB}', 8080), 5); print('connected', flush=True)\n"
          "try: s.settimeout(4); s.recv(1)\nexcept ConnectionResetError: print('reset', flush=True)\n"
          "except TimeoutError: print('waits', flush=True)")


@pytest.mark.parametrize("end, outcome", [("true", "reset"), ("false", "waits")])
def test_clients_hear_of_it(lab, end, outcome):
    lan, client, (node,) = lan_nodes(lab, "a")
    start_all([node], CONF.format(more=SERVICE, end=end), cluster=False)
    wait_owner([node], WEB)
    wait_for(lambda: node.has_address(WEB), "the address is on the link")
    node.popen(["python3", "-c", SERVER])
    wait_for(lambda: ":8080" in node.run("ss -tln").stdout, "the server listens")
    caller = client.popen(["python3", "-c", CLIENT], stdout=subprocess.PIPE, text=True)
    assert caller.stdout.readline() == "connected\n"
    node.configure(CONF.format(more="", end=end))
    node.crier("reload")
    wait_for(lambda: not node.has_address(WEB), "the address is gone")
    assert caller.stdout.readline() == f"{outcome}\n"
