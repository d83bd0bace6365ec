"""The usual set-up: some crier nodes on one LAN with a client, and a document for them."""

import textwrap

from crierlab import Node
from netlab import wait_for

LAN = "10.50.0.{}"
LAN6 = "fd50::{}"
HTTP_PORT = 8080


def lan_nodes(lab, names="abc", first=11):
    """A switch, a client (.100) and nodes (.11, .12, …)."""
    lan = lab.switch("lan")
    client = lab.host("client", lan, "10.50.0.100/24", "fd50::100/64")
    nodes = [lab.host(n, lan, f"{LAN.format(first + i)}/24", f"{LAN6.format(first + i)}/64", cls=Node)
             for i, n in enumerate(names)]
    return lan, client, nodes


def document(nodes, text, cluster=True):
    """@text is YAML at column 0 after dedent; the cluster's members come in front."""
    join = ", ".join(LAN.format(11 + i) for i in range(len(nodes)))
    head = f"cluster:\n  join: [{join}]\n" if cluster else ""
    return head + textwrap.dedent(text)


def start_all(nodes, text, cluster=True):
    for n in nodes:
        n.configure(document(nodes, text, cluster))
    for n in nodes:
        n.start()
    if cluster:
        wait_members(nodes)


def wait_members(nodes, timeout=30):
    for n in nodes:
        wait_for(lambda n=n: len(n.get("members")) == len(nodes), f"{n.name} sees {len(nodes)} members", timeout, 0.1)


def running(nodes):
    return [n for n in nodes if n.daemon and n.daemon.poll() is None]


def wait_owner(nodes, address, timeout=30):
    """The one node that owns the address, when exactly one does."""
    def one():
        owners = [n for n in running(nodes) if n.owns(address)]
        return owners[0] if len(owners) == 1 else None
    return wait_for(one, f"exactly one owner of {address}", timeout, 0.05)
