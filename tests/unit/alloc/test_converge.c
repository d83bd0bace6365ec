#include "alloc/converge.h"

#include <jansson.h>

#include "unit/world/fixture.h"

/*
 * Each case is a little script:
 *   pool NAME [WORD…] ELEMENT…              the configuration; before the first run
 *   reload                                  the pools are others from now on: those that follow
 *   svc NAME WORD…                          what the service asks for; its status stays, if any
 *   run NAME => EXPECTED                    one pass
 *   claim NAME…                             converge_claim() for each
 *   del NAME => [others]
 *   order NAME… => NAME…                    of services, by converge_order()
 * Words of pool: manual nobuggy; and whom it is reserved for: prio=N for=NAMESPACE namespaces=K=V
 * services=K=V (selectors of labels).
 * Words of svc: type=T cip=A,B prefer require v6first ip=A ips=A,B|- oips= pool= opool= key= okey=
 * port=80 local=SELECTOR keep reference; ns=NAMESPACE nslabel=K=V label=K=V; has=A,B,host: (an
 * overwritten status) from=P ofrom=P.
 * A "-" as value is the empty text. EXPECTED is the addresses or "-", then "from=POOL", "same" (not
 * to be written) or "left", "others", the events ("+Normal", "!Warning") in order, and at last,
 * behind "says: ", a part of the last event's text, or, behind "why: ", of why it failed.
 */
struct script {
	const char *name;
	const char *text;
};

static const struct script scripts[] = {
	/* §3.2, step by step. */
	{ "step 1: a service that is gone gives its address back, and others are run",
	  "pool p 10.0.0.0/32\nsvc a\nsvc b\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\nrun b => - same !AllocationFailed why: pool p\n"
	  "del a => others\nrun b => 10.0.0.0 from=p +IPAllocated\n" },
	{ "step 1: without an address there is nothing to run others for",
	  "pool p 10.0.0.0/32\nsvc a\nsvc b\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "run b => - same !AllocationFailed why: pool p\ndel b =>\ndel nobody =>\n" },
	{ "step 2: no LoadBalancer any more",
	  "pool p 10.0.0.0/32\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a type=ClusterIP\nrun a => - others\nrun a => - same\n" },
	{ "step 2: never was a LoadBalancer", "pool p 10.0.0.0/32\nsvc a type=NodePort\n"
					      "run a => - same\n" },
	{ "step 2: what stands in the status of another type is swept away",
	  "pool p 10.0.0.0/32\nsvc a type=ClusterIP has=host: from=p\nrun a => -\n" },
	{ "step 3: no pools at all strip every service",
	  "pool p 10.0.0.0/32\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "reload\nrun a => - why: there are no pools\nrun a => - same why: there are no pools\n" },
	{ "step 3: no pools, and what is in force stays where the caller wants it",
	  "pool p 10.0.0.0/32\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a keep\nreload\nrun a => 10.0.0.0 from=p left why: there are no pools\n"
	  "svc b keep\nrun b => - left why: there are no pools\n"
	  "reload\npool q 10.0.0.0/32\nrun a => 10.0.0.0 from=q\n" },
	{ "step 4: neither clusterIPs nor clusterIP",
	  "pool p 10.0.0.0/32\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a cip=\nrun a => - others why: no cluster IP\n" },
	{ "step 5: two families required, one cluster IP",
	  "pool p 10.0.0.0/32 2001:db8::/128\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a require\nrun a => - others !not enough clusterips why: requires two families\n" },
	{ "step 6: an entry with a host name alone is no address, and goes",
	  "pool p 10.0.0.0/32\nsvc a has=host:\nrun a => 10.0.0.0 from=p +IPAllocated\n" },
	{ "step 6: a host name beside an address goes",
	  "pool p 10.0.0.0/31\nsvc a has=host:,10.0.0.1 from=p\nrun a => 10.0.0.1 from=p\n"
	  "run a => 10.0.0.1 from=p same\n" },
	{ "step 6: what is no address is a change of families",
	  "pool p 10.0.0.0/31\nsvc a has=10.0.0.0.1\n"
	  "run a => 10.0.0.0 from=p !nolbIPsIPFamily +IPAllocated\n" },
	{ "step 6: two of one family are a change of families",
	  "pool p 10.0.0.0/30\nsvc a has=10.0.0.1,10.0.0.2\n"
	  "run a => 10.0.0.0 from=p !nolbIPsIPFamily +IPAllocated\n" },
	{ "step 6: three are a change of families",
	  "pool p 10.0.0.0/30\nsvc a has=10.0.0.1,10.0.0.2,::1\n"
	  "run a => 10.0.0.0 from=p !nolbIPsIPFamily +IPAllocated\n" },
	{ "step 6: cluster IPs that make no sense leave the status alone",
	  "pool p 10.0.0.0/30\nsvc a cip=None has=10.0.0.1\n"
	  "run a => 10.0.0.1 left !noclusterIPsIPFamily why: cluster IPs\n"
	  "svc b cip=None\nrun b => - same !AllocationFailed why: cluster IPs\n"
	  "svc c cip=10.96.0.1,10.96.0.2\nrun c => - same !AllocationFailed why: cluster IPs\n"
	  "svc d cip=10.96.0.1,fd00::1,fd00::2\nrun d => - same !AllocationFailed why: cluster "
	  "IPs\n" },
	{ "step 7: IPv4 held, IPv6 by now",
	  "pool p 10.0.0.0/31 2001:db8::/127\nsvc a cip=fd00::1 has=10.0.0.1\n"
	  "run a => 2001:db8:: from=p +IPAllocated\n" },
	{ "step 7: one held, two required",
	  "pool p 10.0.0.0/31 2001:db8::/127\nsvc a cip=10.96.0.1,fd00::1 require has=10.0.0.1\n"
	  "run a => 10.0.0.0,2001:db8:: from=p +IPAllocated\n" },
	{ "step 7: two held, one family by now",
	  "pool p 10.0.0.0/31 2001:db8::/127\nsvc a has=10.0.0.1,2001:db8::1\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\n" },
	{ "step 7: one held where two are preferred stays",
	  "pool p 10.0.0.0/31\nsvc a cip=10.96.0.1,fd00::1 prefer has=10.0.0.1 from=p\n"
	  "run a => 10.0.0.1 from=p same +AdditionalAssignFailed\n" },
	{ "step 8: the address is in no pool any more",
	  "pool p 10.0.0.0/31\nsvc a has=10.9.0.1 from=p\n"
	  "run a => 10.0.0.0 from=p +ClearAssignment +IPAllocated\n" },
	{ "step 8: avoid-buggy-ips is set by now",
	  "pool p nobuggy 10.0.0.0/30\nsvc a has=10.0.0.0 from=p\n"
	  "run a => 10.0.0.1 from=p +ClearAssignment +IPAllocated\n" },
	{ "step 8: somebody else has it",
	  "pool p 10.0.0.0/31\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc b has=10.0.0.0 from=p\n"
	  "run b => 10.0.0.1 from=p +ClearAssignment +IPAllocated\n" },
	{ "step 8: another sharing key by now, and the address has other users",
	  "pool p 10.0.0.0/31\nsvc a key=k port=1\nsvc b key=k port=2\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\nrun b => 10.0.0.0 from=p +IPAllocated\n"
	  "svc b key=l port=2\nrun b => 10.0.0.1 from=p others +ClearAssignment +IPAllocated\n" },
	{ "step 8: another backend by now",
	  "pool p 10.0.0.0/31\nsvc a key=k port=1 local=app=x\nsvc b key=k port=2 local=app=x\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\nrun b => 10.0.0.0 from=p +IPAllocated\n"
	  "svc b key=k port=2\n"
	  "run b => 10.0.0.1 from=p others +ClearAssignment +IPAllocated\n" },
	{ "step 8: a port that clashes by now",
	  "pool p 10.0.0.0/31\nsvc a key=k port=1\nsvc b key=k port=2\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\nrun b => 10.0.0.0 from=p +IPAllocated\n"
	  "svc b key=k port=1\nrun b => 10.0.0.1 from=p +ClearAssignment +IPAllocated\n" },
	{ "step 8: nothing else is free, and the status is emptied",
	  "pool p 10.0.0.0/32\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc b has=10.0.0.0 from=p\nrun b => - +ClearAssignment !AllocationFailed why: pool p\n"
	  "run b => - same !AllocationFailed why: pool p\n" },
	{ "step 8: auto-assign off by now takes nothing",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "reload\npool p manual 10.0.0.0/30\nrun a => 10.0.0.0 from=p same\n" },
	{ "step 9: another pool is asked for",
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30\nsvc a\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a pool=q\nrun a => 10.1.0.0 from=q +IPAllocated\nsvc a pool=p\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\nsvc a\nrun a => 10.0.0.0 from=p same\n" },
	{ "step 9: a pool that does not exist",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a pool=x\nrun a => - others !AllocationFailed why: there is no pool x\n" },
	{ "step 9: the empty annotation asks for nothing",
	  "pool p 10.0.0.0/30\nsvc a pool=- opool=x\nrun a => 10.0.0.0 from=p +IPAllocated\n" },
	{ "step 10: another address is asked for",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a ip=10.0.0.2\nrun a => 10.0.0.2 from=p +IPAllocated\n"
	  "svc a ips=10.0.0.1\nrun a => 10.0.0.1 from=p +IPAllocated\n"
	  "svc a\nrun a => 10.0.0.1 from=p same\n" },
	{ "step 10: another address that it can't have is no reason to keep the old one",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a ip=10.9.0.0\n"
	  "run a => - others !AllocationFailed why: 10.9.0.0 is in no pool\n" },
	{ "step 10: the same in another order is the same, in the order of their texts",
	  "pool p 203.0.113.0/30 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 require ips=203.0.113.1,2001:db8::1\n"
	  "run a => 203.0.113.1,2001:db8::1 from=p +IPAllocated\n"
	  "run a => 2001:db8::1,203.0.113.1 from=p\n"
	  "run a => 2001:db8::1,203.0.113.1 from=p same\n"
	  "svc a cip=10.96.0.1,fd00::1 require ips=2001:db8::1,203.0.113.1\n"
	  "run a => 2001:db8::1,203.0.113.1 from=p same\n" },
	{ "step 10: both the field and the annotation: all stays as it is",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a ip=10.0.0.1 ips=10.0.0.2\n"
	  "run a => 10.0.0.0 from=p left !LoadBalancerFailed why: both\n"
	  "svc b\nrun b => 10.0.0.1 from=p +IPAllocated\n" },
	{ "step 10: what is no address: all stays as it is",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a ip=nonsense\n"
	  "run a => 10.0.0.0 from=p left !LoadBalancerFailed why: \"nonsense\" is asked for\n" },
	{ "step 10: without an address the same mistakes are failures to allocate",
	  "pool p 10.0.0.0/30\nsvc a ip=10.0.0.1 ips=10.0.0.2\n"
	  "run a => - same !AllocationFailed why: both\nsvc b ip=nonsense\n"
	  "run b => - same !AllocationFailed why: no address\n" },
	{ "step 11: the second address comes from the same pool",
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 prefer has=10.1.0.1 from=q\n"
	  "run a => 10.1.0.1,2001:db8:: from=q +IPAllocated says: additional IP \"2001:db8::\"\n"
	  "run a => 10.1.0.1,2001:db8:: from=q same\n" },
	{ "step 11: IPv4 comes first even where it was second",
	  "pool q 10.1.0.0/30 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 prefer v6first has=2001:db8::1 from=q\n"
	  "run a => 10.1.0.0,2001:db8::1 from=q +IPAllocated says: additional IP \"10.1.0.0\"\n" },
	{ "step 11: none of the other family in that pool is not fatal",
	  "pool p 10.0.0.0/30\npool q 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 prefer has=10.0.0.1 from=p\n"
	  "run a => 10.0.0.1 from=p same +AdditionalAssignFailed says: pool p has no usable one of "
	  "IPv6\n" },
	{ "step 11: one family alone that would rather have two",
	  "pool p 10.0.0.0/30 2001:db8::/126\nsvc a prefer\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\n"
	  "run a => 10.0.0.0,2001:db8:: from=p +IPAllocated\n"
	  "run a => 10.0.0.0,2001:db8:: from=p same\n" },
	{ "step 11: the same to the letter: given and taken in turns",
	  "pool p 10.0.0.0/30 2001:db8::/126\nsvc a prefer reference\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\n"
	  "run a => 10.0.0.0,2001:db8:: from=p +IPAllocated\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\n" },
	{ "step 11: an address asked for, and the second that came with it",
	  "pool p 10.0.0.0/30 2001:db8::/126\nsvc a prefer ip=10.0.0.1\n"
	  "run a => 10.0.0.1 from=p +IPAllocated\n"
	  "run a => 10.0.0.1,2001:db8:: from=p +IPAllocated\n"
	  "run a => 10.0.0.1,2001:db8:: from=p same\nsvc a prefer ip=10.0.0.2\n"
	  "run a => 10.0.0.2 from=p +IPAllocated\n" },
	{ "step 12: the texts of success and failure",
	  "pool p 10.0.0.0/32 2001:db8::/128\nsvc a cip=10.96.0.1,fd00::1 require\n"
	  "run a => 10.0.0.0,2001:db8:: from=p +IPAllocated says: Assigned IP [\"10.0.0.0\" "
	  "\"2001:db8::\"]\n"
	  "svc b\nrun b => - same !AllocationFailed says: Failed to allocate IP for \"ns/b\": \n" },
	{ "step 13: nothing is written that is there already",
	  "pool p 10.0.0.0/32\nsvc a has=10.0.0.0 from=p\nrun a => 10.0.0.0 from=p same\n" },
	{ "step 13: the note about the pool is kept right",
	  "pool p 10.0.0.0/32\nsvc a has=10.0.0.0\nrun a => 10.0.0.0 from=p\n"
	  "svc b has=10.0.0.0 from=q\ndel a => others\nrun b => 10.0.0.0 from=p\n" },
	{ "step 13: the note of the old prefix goes",
	  "pool p 10.0.0.0/32\nsvc a has=10.0.0.0 from=p ofrom=p\nrun a => 10.0.0.0 from=p\n" },
	{ "step 13: addresses are written in their canonical form",
	  "pool p 2001:db8::/126\nsvc a cip=fd00::1 has=2001:DB8::0:1 from=p\n"
	  "run a => 2001:db8::1 from=p\nrun a => 2001:db8::1 from=p same\n" },

	/* §3.1 */
	{ "the new annotation counts where it is present, even if empty",
	  "pool p 10.0.0.0/30\nsvc a ips=- oips=10.0.0.3\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\nsvc b ips=10.0.0.2 oips=10.0.0.3\n"
	  "run b => 10.0.0.2 from=p +IPAllocated\nsvc c key=- okey=k port=1\n"
	  "run c => 10.0.0.1 from=p +IPAllocated\nsvc d okey=k port=2\n"
	  "run d => 10.0.0.3 from=p +IPAllocated !deprecatedAnnotation says: allow-shared-ip\n" },
	{ "an old annotation counts, and is complained about once",
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30\nsvc a opool=q oips=10.1.0.2\n"
	  "run a => 10.1.0.2 from=q +IPAllocated !deprecatedAnnotation says: "
	  "metallb.universe.tf/address-pool, metallb.universe.tf/loadBalancerIPs; \n"
	  "run a => 10.1.0.2 from=q same\n" },
	{ "blanks in a list of addresses are allowed",
	  "pool p 10.0.0.0/30 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 require ips=_10.0.0.1_,__2001:db8::2_\n"
	  "run a => 10.0.0.1,2001:db8::2 from=p +IPAllocated\n" },

	/* §3.3 */
	{ "explicit addresses: more than two",
	  "pool p 10.0.0.0/30 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 ips=10.0.0.1,2001:db8::2,10.0.0.2\n"
	  "run a => - same !AllocationFailed why: more than two\n" },
	{ "explicit addresses: two of one family",
	  "pool p 10.0.0.0/30\nsvc a ips=10.0.0.1,10.0.0.2\n"
	  "run a => - same !AllocationFailed why: two addresses of one family\n" },
	{ "explicit addresses: an empty element of the list",
	  "pool p 10.0.0.0/30\nsvc a ips=10.0.0.1,\n"
	  "run a => - same !AllocationFailed why: \"\" is asked for, which is no address\n" },
	{ "explicit addresses: of the service's families",
	  "pool p 10.0.0.0/30 2001:db8::/126\nsvc a ip=2001:db8::1\n"
	  "run a => - same !AllocationFailed why: not of the families\n"
	  "svc b ips=10.0.0.1,2001:db8::1\n"
	  "run b => - same !AllocationFailed why: not of the families\n" },
	{ "explicit addresses: one for two families fails even where two are only preferred",
	  "pool p 10.0.0.0/30 2001:db8::/126\nsvc a cip=10.96.0.1,fd00::1 prefer ip=10.0.0.1\n"
	  "run a => - same !AllocationFailed why: not of the families\n" },
	{ "explicit addresses: in one pool",
	  "pool p 10.0.0.0/30\npool q 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 require ips=10.0.0.1,2001:db8::1\n"
	  "run a => - same !AllocationFailed why: not in the same pool\n" },
	{ "explicit addresses: never a buggy one",
	  "pool p nobuggy 10.0.0.0/24\nsvc a ip=10.0.0.0\n"
	  "run a => - same !AllocationFailed why: never hands out\nsvc b ip=10.0.0.255\n"
	  "run b => - same !AllocationFailed why: never hands out\n" },
	{ "explicit addresses: the annotated pool must be theirs",
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30\nsvc a ip=10.0.0.1 pool=q\n"
	  "run a => - same !AllocationFailed why: in pool p, not in pool q\n"
	  "svc a ip=10.0.0.1 pool=p\nrun a => 10.0.0.1 from=p +IPAllocated\n" },
	{ "explicit addresses and pools: auto-assign does not matter",
	  "pool p manual 10.0.0.0/30\nsvc a ip=10.0.0.1\nrun a => 10.0.0.1 from=p +IPAllocated\n"
	  "svc b pool=p\nrun b => 10.0.0.0 from=p +IPAllocated\n"
	  "svc c\nrun c => - same !AllocationFailed why: auto-assign is off\n" },
	{ "automatic: a freed low address is used again at once",
	  "pool p 10.0.0.0/30\nsvc a\nsvc b\nsvc c\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "run b => 10.0.0.1 from=p +IPAllocated\ndel a => others\n"
	  "run c => 10.0.0.0 from=p +IPAllocated\n" },

	/* §3.3, serviceAllocation. */
	{ "reserved pools go first, low priorities before high ones, 0 last; then the others",
	  "pool p 10.0.0.0/32\npool none for=ns 10.1.0.0/32\npool two prio=2 for=ns 10.2.0.0/32\n"
	  "pool one prio=1 for=ns 10.3.0.0/32\nsvc a\nsvc b\nsvc c\nsvc d\nsvc e\n"
	  "run a => 10.3.0.0 from=one +IPAllocated\nrun b => 10.2.0.0 from=two +IPAllocated\n"
	  "run c => 10.1.0.0 from=none +IPAllocated\nrun d => 10.0.0.0 from=p +IPAllocated\n"
	  "run e => - same !AllocationFailed why: pool p\n" },
	{ "reserved for another namespace: not given, nor to those who ask for it",
	  "pool p for=other 10.0.0.0/30\nsvc a\n"
	  "run a => - same !AllocationFailed why: reserved\nsvc a pool=p\n"
	  "run a => - same !AllocationFailed why: reserved\nsvc a ip=10.0.0.1\n"
	  "run a => - same !AllocationFailed why: 10.0.0.1 is in pool p: reserved\n"
	  "svc b ns=other\nrun b => 10.0.0.0 from=p +IPAllocated\n" },
	{ "reserved by labels of the namespace, of the service, of both",
	  "pool n namespaces=team=x 10.0.0.0/30\npool s services=tier=gold 10.1.0.0/30\n"
	  "pool both prio=1 for=nobody namespaces=team=x services=tier=gold 10.2.0.0/30\n"
	  "svc a nslabel=team=x\nrun a => 10.0.0.0 from=n +IPAllocated\n"
	  "svc b label=tier=gold\nrun b => 10.1.0.0 from=s +IPAllocated\n"
	  "svc c nslabel=team=x label=tier=gold\nrun c => 10.2.0.0 from=both +IPAllocated\n"
	  "svc d label=tier=tin\nrun d => - same !AllocationFailed why: reserved\n" },
	{ "reserved, with auto-assign off: for those who ask",
	  "pool p manual for=ns 10.0.0.0/30\nsvc a\n"
	  "run a => - same !AllocationFailed why: auto-assign is off\n"
	  "svc a pool=p\nrun a => 10.0.0.0 from=p +IPAllocated\n" },
	{ "step 8: the pool is reserved for others by now",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "reload\npool p for=other 10.0.0.0/30\npool q 10.1.0.0/30\n"
	  "run a => 10.1.0.0 from=q +ClearAssignment +IPAllocated\n"
	  "reload\npool q for=other 10.1.0.0/30\n"
	  "run a => - +ClearAssignment !AllocationFailed why: reserved\n" },
	{ "step 8: the service has other labels by now",
	  "pool s services=tier=gold 10.0.0.0/30\npool p 10.1.0.0/30\nsvc a label=tier=gold\n"
	  "run a => 10.0.0.0 from=s +IPAllocated\nsvc a label=tier=tin\n"
	  "run a => 10.1.0.0 from=p +ClearAssignment +IPAllocated\n"
	  "svc a label=tier=gold\nrun a => 10.1.0.0 from=p same\n" },
	{ "step 8: the namespace has other labels by now",
	  "pool n namespaces=team=x prio=1 for=none 10.0.0.0/30\nsvc a nslabel=team=x\n"
	  "run a => 10.0.0.0 from=n +IPAllocated\nsvc a nslabel=team=y\n"
	  "run a => - others +ClearAssignment !AllocationFailed why: reserved\n" },
	{ "step 8: a reserved pool that is there by now moves nobody",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "reload\npool p 10.0.0.0/30\npool kept prio=1 for=ns 10.1.0.0/30\n"
	  "run a => 10.0.0.0 from=p same\nsvc b\nrun b => 10.1.0.0 from=kept +IPAllocated\n" },
	{ "step 11: the second address comes from the reserved pool that the first is from",
	  "pool p 10.0.0.0/30 2001:db8::/126\npool kept for=ns 10.1.0.0/30 2001:db8:1::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 prefer has=10.1.0.1 from=kept\n"
	  "run a => 10.1.0.1,2001:db8:1:: from=kept +IPAllocated says: additional IP\n" },
	{ "restart: what is reserved for others by now is not claimed",
	  "pool p for=other 10.0.0.0/30\nsvc a has=10.0.0.1 from=p\n"
	  "svc b ns=other ip=10.0.0.1\nclaim a b\n"
	  "run a => - +ClearAssignment !AllocationFailed why: reserved\n"
	  "run b => 10.0.0.1 from=p +IPAllocated\n" },

	/* §3.4 */
	{ "one cluster IP, whatever the policy: one address of its family",
	  "pool p 10.0.0.0/30 2001:db8::/126\nsvc a cip=fd00::1 prefer\n"
	  "run a => 2001:db8:: from=p +IPAllocated\n" },
	{ "two cluster IPs, RequireDualStack: both from one pool, else nothing",
	  "pool x 10.0.0.0/30\npool y 2001:db8:1::/126\nsvc a cip=fd00::1,10.96.0.1 require\n"
	  "run a => - same !AllocationFailed why: pool x\nreload\npool x 10.0.0.0/30\n"
	  "pool z 2001:db8::/126 10.1.0.0/30\n"
	  "run a => 10.1.0.0,2001:db8:: from=z +IPAllocated\n" },
	{ "two cluster IPs without a policy: both",
	  "pool x 10.0.0.0/30\nsvc a cip=10.96.0.1,fd00::1\n"
	  "run a => - same !AllocationFailed why: no IPv6\n" },
	{ "two cluster IPs, PreferDualStack: a pool with both, else the first family's, else the "
	  "other's",
	  "pool x 10.0.0.0/32\npool y 2001:db8:1::/127\npool z 10.1.0.0/32 2001:db8:2::/128\n"
	  "svc a cip=10.96.0.1,fd00::1 prefer\nsvc b cip=10.96.0.2,fd00::2 prefer\n"
	  "svc c cip=10.96.0.3,fd00::3 prefer\nsvc d cip=fd00::4,10.96.0.4 prefer v6first\n"
	  "svc e cip=10.96.0.5,fd00::5 prefer\n"
	  "run a => 10.1.0.0,2001:db8:2:: from=z +IPAllocated\n"
	  "run d => 2001:db8:1:: from=y +IPAllocated\nrun b => 10.0.0.0 from=x +IPAllocated\n"
	  "run c => 2001:db8:1::1 from=y +IPAllocated\nrun e => - same !AllocationFailed why: pool "
	  "x\n" },
	{ "the pair is completed once there is room",
	  "pool p 10.0.0.0/31 2001:db8::/128\nsvc six cip=fd00::1\n"
	  "svc a cip=10.96.0.1,fd00::2 prefer\nrun six => 2001:db8:: from=p +IPAllocated\n"
	  "run a => 10.0.0.0 from=p +IPAllocated\n"
	  "run a => 10.0.0.0 from=p same +AdditionalAssignFailed\ndel six => others\n"
	  "run a => 10.0.0.0,2001:db8:: from=p +IPAllocated\n" },

	/* §3.5 */
	{ "sharing: the only user may change its key in place, and others are run",
	  "pool p 10.0.0.0/31\nsvc a key=k port=1\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a key=l port=1\nrun a => 10.0.0.0 from=p same others\n"
	  "run a => 10.0.0.0 from=p same\n" },
	{ "sharing: the traffic policy is part of the terms",
	  "pool p 10.0.0.0/31\nsvc a key=k port=1\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a key=k port=1 local=app=x\nrun a => 10.0.0.0 from=p same others\n" },
	{ "sharing: other ports are no other terms",
	  "pool p 10.0.0.0/31\nsvc a key=k port=1\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "svc a key=k port=2\nrun a => 10.0.0.0 from=p same\n" },
	{ "sharing: Local without a selector goes with Cluster",
	  "pool p 10.0.0.0/31\nsvc a key=k port=1\nsvc b key=k port=2 local=\n"
	  "svc c key=k port=3 local=app=x\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "run b => 10.0.0.0 from=p +IPAllocated\nrun c => 10.0.0.1 from=p +IPAllocated\n" },

	/* §3.6 */
	{ "pools: one shrinks below an address in use",
	  "pool p 10.0.0.0/30\nsvc a ip=10.0.0.3\nrun a => 10.0.0.3 from=p +IPAllocated\nsvc a\n"
	  "reload\npool p 10.0.0.0/31\n"
	  "run a => 10.0.0.0 from=p +ClearAssignment +IPAllocated\n" },
	{ "pools: a new name, the same addresses",
	  "pool p 10.0.0.0/30\nsvc a\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "reload\npool q 10.0.0.0/30\nrun a => 10.0.0.0 from=q\n" },
	{ "pools: a range moves to another pool",
	  "pool p 10.0.0.0/30 10.1.0.0/30\npool q 10.2.0.0/30\nsvc a ip=10.1.0.1\n"
	  "run a => 10.1.0.1 from=p +IPAllocated\n"
	  "reload\npool p 10.0.0.0/30\npool q 10.1.0.0-10.2.0.3\nrun a => 10.1.0.1 from=q\n" },
	{ "pools: one more, and those that wait are served",
	  "pool p 10.0.0.0/32\nsvc a\nsvc b\nrun a => 10.0.0.0 from=p +IPAllocated\n"
	  "run b => - same !AllocationFailed why: pool p\nreload\npool p 10.0.0.0/32\n"
	  "pool q 10.1.0.0/32\nrun a => 10.0.0.0 from=p same\n"
	  "run b => 10.1.0.0 from=q +IPAllocated\n" },
	{ "pools: a pair of which one address is in no pool any more moves whole",
	  "pool p 10.0.0.0/30 2001:db8::/126\nsvc a cip=10.96.0.1,fd00::1 require\n"
	  "run a => 10.0.0.0,2001:db8:: from=p +IPAllocated\n"
	  "reload\npool p 10.0.0.0/30 2001:db8::8/126\n"
	  "run a => 10.0.0.0,2001:db8::8 from=p +ClearAssignment +IPAllocated\n" },

	/* §3.7 */
	{ "restart: those with addresses first, those with more before those with fewer",
	  "svc a\nsvc b has=10.0.0.1\nsvc c has=10.0.0.2,2001:db8::1\nsvc d\nsvc e has=10.0.0.0\n"
	  "svc f has=host:\norder a b c d e f => c b e a d f\n" },
	{ "restart: of two with one address the first one keeps it",
	  "pool p 10.0.0.0/31\nsvc a has=10.0.0.1\nsvc b has=10.0.0.1\nrun a => 10.0.0.1 from=p\n"
	  "run b => 10.0.0.0 from=p +ClearAssignment +IPAllocated\n" },
	{ "restart: who looks for a second address takes none that a later one has",
	  "pool p 10.0.0.0/31 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 prefer has=2001:db8::1 from=p\nsvc b has=10.0.0.0 from=p\n"
	  "claim a b\nrun a => 10.0.0.1,2001:db8::1 from=p +IPAllocated\n"
	  "run b => 10.0.0.0 from=p same\n" },
	{ "restart: who must move takes none that a later one has",
	  "pool p 10.0.0.0/31\nsvc a has=10.9.9.9 from=p\nsvc b has=10.0.0.0 from=p\nclaim a b\n"
	  "run a => 10.0.0.1 from=p +ClearAssignment +IPAllocated\n"
	  "run b => 10.0.0.0 from=p same\n" },
	{ "restart: who asks for another address claims nothing",
	  "pool p 10.0.0.0/31\nsvc a ip=10.0.0.1 has=10.0.0.0 from=p\nsvc b has=10.0.0.0 from=p\n"
	  "claim a b\nrun a => 10.0.0.1 from=p +ClearAssignment +IPAllocated\nrun b => 10.0.0.0 "
	  "from=p same\n" },
	{ "restart: to the letter, it takes it, and the later one moves",
	  "pool p 10.0.0.0/31 2001:db8::/126\n"
	  "svc a cip=10.96.0.1,fd00::1 prefer has=2001:db8::1 from=p\nsvc b has=10.0.0.0 from=p\n"
	  "run a => 10.0.0.0,2001:db8::1 from=p +IPAllocated\n"
	  "run b => 10.0.0.1 from=p +ClearAssignment +IPAllocated\n" },
	{ "restart: there is no memory but the status",
	  "pool p 10.0.0.0/30\nsvc a ip=10.0.0.2\nrun a => 10.0.0.2 from=p +IPAllocated\n"
	  "del a => others\nsvc a has=\nrun a => 10.0.0.0 from=p +IPAllocated\n" },
};

/** A service of a script, and what its status says. */
struct actor {
	const char *name;
	struct converge_service s;
	struct converge_ingress ingress[4];
};

/** A script as it runs. */
struct player {
	struct arena *a;
	struct cfg cfg;
	struct cfg_pool pools[8];
	struct alloc *alloc;
	struct actor actors[8];
	size_t n_actors;
};

static struct cfg_reservation *reservation_of(struct player *p, struct cfg_pool *pool)
{
	if (!pool->reserved)
		pool->reserved = arena_new_of(p->a, struct cfg_reservation);
	return (struct cfg_reservation *)(uintptr_t)pool->reserved;
}

static void set_reservation(struct player *p, struct cfg_reservation *r, const char *name,
			    const char *value)
{
	if (strcmp(name, "prio") == 0) {
		r->priority = (uint32_t)atoi(value);
	} else if (strcmp(name, "for") == 0) {
		const char **namespace = arena_new_of(p->a, const char *);

		*namespace = value;
		r->namespaces = (struct cfg_texts){ .v = namespace, .n = 1 };
	} else if (strcmp(name, "namespaces") == 0) {
		r->namespace_selectors = fx_selectors(p->a, value);
	} else if (strcmp(name, "services") == 0) {
		r->service_selectors = fx_selectors(p->a, value);
	} else {
		fail_msg("unknown word %s=", name);
	}
}

/* False where the elements begin. */
static bool pool_word(struct player *p, struct cfg_pool *pool, char *word)
{
	char *value = strchr(word, '=');

	if (value) {
		*value++ = '\0';
		set_reservation(p, reservation_of(p, pool), word, value);
	} else if (strcmp(word, "manual") == 0) {
		pool->auto_assign = false;
	} else if (strcmp(word, "nobuggy") == 0) {
		pool->avoid_buggy_ips = true;
	} else {
		return false;
	}
	return true;
}

static void play_pool(struct player *p, const char *line)
{
	char *rest = arena_strdup(p->a, line), *name = strsep(&rest, " ");
	struct cfg_pool words = { .auto_assign = true };
	const char *elements = rest;

	while (pool_word(p, &words, strsep(&rest, " ")))
		elements = rest;
	struct cfg_pool pool = fx_pool(p->a, name, line + (elements - name));
	words.name = name;
	words.addresses = pool.addresses;
	words.n_addresses = pool.n_addresses;
	p->pools[p->cfg.n_pools++] = words;
}

static struct actor *actor_named(struct player *p, const char *name)
{
	for (size_t i = 0; i < p->n_actors; i++)
		if (strcmp(p->actors[i].name, name) == 0)
			return &p->actors[i];
	p->actors[p->n_actors].name = name;
	return &p->actors[p->n_actors++];
}

static void set_ingress(struct actor *x, char *list)
{
	x->s.n_ingress = 0;
	x->s.ingress = x->ingress;
	for (char *one; (one = strsep(&list, ","));) {
		if (!*one)
			continue;
		bool is_host = strcmp(one, "host:") == 0;
		x->ingress[x->s.n_ingress++] =
			(struct converge_ingress){ .ip = is_host ? NULL : one,
						   .has_more = is_host };
	}
}

static void set_cluster_ips(struct player *p, struct converge_service *s, char *list)
{
	const char **v = arena_new_n(p->a, const char *, 4);

	s->cluster_ips = v;
	s->n_cluster_ips = 0;
	for (char *one; (one = strsep(&list, ","));)
		if (*one)
			v[s->n_cluster_ips++] = one;
}

static void set_port(struct player *p, struct converge_service *s, const char *text)
{
	struct cfg_port *port = arena_new_of(p->a, struct cfg_port);

	*port = (struct cfg_port){ (uint16_t)atoi(text), CFG_TCP };
	s->ports = port;
	s->n_ports = 1;
}

static const struct labels *labels_new(struct player *p, const char *text)
{
	struct labels *l = arena_new_of(p->a, struct labels);

	*l = fx_labels(p->a, text);
	return l;
}

/* The service's text of that name, or NULL. */
static const char **text_named(struct converge_service *s, const char *name)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = {
		{ "ip", &s->load_balancer_ip },
		{ "ips", &s->load_balancer_ips.current },
		{ "oips", &s->load_balancer_ips.deprecated },
		{ "pool", &s->address_pool.current },
		{ "opool", &s->address_pool.deprecated },
		{ "key", &s->allow_shared_ip.current },
		{ "okey", &s->allow_shared_ip.deprecated },
		{ "from", &s->allocated_from.current },
		{ "ofrom", &s->allocated_from.deprecated },
		{ "local", &s->backend },
		{ "ns", &s->namespace },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(texts[i].name, name) == 0)
			return texts[i].text;
	return NULL;
}

static void set_value(struct player *p, struct actor *x, const char *name, char *value)
{
	const char **text = text_named(&x->s, name);

	for (char *c = value; text && *c; c++)
		if (*c == '_')
			*c = ' ';
	if (text)
		*text = strcmp(value, "-") == 0 ? "" : value;
	else if (strcmp(name, "cip") == 0)
		set_cluster_ips(p, &x->s, value);
	else if (strcmp(name, "has") == 0)
		set_ingress(x, value);
	else if (strcmp(name, "port") == 0)
		set_port(p, &x->s, value);
	else if (strcmp(name, "label") == 0)
		x->s.labels = labels_new(p, value);
	else if (strcmp(name, "nslabel") == 0)
		x->s.namespace_labels = labels_new(p, value);
	else if (strcmp(name, "type") == 0)
		x->s.is_load_balancer = false;
	else
		fail_msg("unknown word %s=", name);
}

static void set_flag(struct converge_service *s, const char *word)
{
	if (strcmp(word, "prefer") == 0)
		s->policy = CFG_PREFER_DUAL_STACK;
	else if (strcmp(word, "require") == 0)
		s->policy = CFG_REQUIRE_DUAL_STACK;
	else if (strcmp(word, "v6first") == 0)
		s->first_family = FAMILY_V6;
	else if (strcmp(word, "keep") == 0)
		s->keep_without_pools = true;
	else if (strcmp(word, "reference") == 0)
		s->reference = true;
	else
		fail_msg("unknown word %s", word);
}

static void play_svc(struct player *p, const char *line)
{
	static const char *const cluster_ip[] = { "10.96.0.1" };
	char *rest = arena_strdup(p->a, line);
	struct actor *x = actor_named(p, strsep(&rest, " "));

	x->s = (struct converge_service){
		.key = arena_printf(p->a, "ns/%s", x->name),
		.namespace = "ns",
		.is_load_balancer = true,
		.cluster_ips = cluster_ip,
		.n_cluster_ips = 1,
		.allocated_from.current = x->s.allocated_from.current,
		.ingress = x->s.ingress,
		.n_ingress = x->s.n_ingress,
		.terms = x->s.terms,
	};
	for (char *word; (word = strsep(&rest, " "));) {
		char *value = strchr(word, '=');

		if (!value) {
			set_flag(&x->s, word);
			continue;
		}
		*value++ = '\0';
		set_value(p, x, word, value);
	}
}

/* What came out, as a script writes it down. */
static void print_result(const struct converge_result *r, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++)
		buf_printf(out, "%s%s", i ? "," : "", ADDR_TEXT(&r->addresses[i]));
	buf_puts(out, r->n ? "" : "-");
	if (r->pool)
		buf_printf(out, " from=%s", r->pool);
	buf_puts(out, r->is_left ? " left" : !r->is_changed ? " same" : "");
	buf_puts(out, r->run_others ? " others" : "");
	for (size_t i = 0; i < r->n_events; i++)
		buf_printf(out, " %c%s", r->events[i].is_warning ? '!' : '+', r->events[i].reason);
}

static void expect_text(const char *line, const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("%s: gave \"%s\"", line, text ? text : "nothing");
}

static void expect_result(const char *line, const struct converge_result *r, const char *expected)
{
	char *want = mem_strdup(expected), *why, *text;
	struct buf got = { 0 };

	if ((text = strstr(want, " says: "))) {
		*text = '\0';
		expect_text(line, r->n_events ? r->events[r->n_events - 1].text : NULL,
			    text + strlen(" says: "));
	} else if ((why = strstr(want, " why: "))) {
		*why = '\0';
		expect_text(line, r->why, why + strlen(" why: "));
	} else if (r->why) {
		fail_msg("%s: gave %s", line, r->why);
	}
	print_result(r, &got);
	if (strcmp(buf_text(&got), want) != 0)
		fail_msg("%s: gave %s", line, buf_text(&got));
	buf_fini(&got);
	free(want);
}

/* Somebody else writes what was decided, and we read it the next time. */
static void write_status(struct player *p, struct actor *x, const struct converge_result *r)
{
	struct buf list = { 0 };

	x->s.terms = r->terms;
	if (r->is_left)
		return;
	for (size_t i = 0; i < r->n; i++)
		buf_printf(&list, "%s,", ADDR_TEXT(&r->addresses[i]));
	set_ingress(x, arena_strdup(p->a, buf_text(&list)));
	x->s.allocated_from = (struct converge_annotation){
		.current = r->pool ? arena_strdup(p->a, r->pool) : NULL,
	};
	buf_fini(&list);
}

/* The allocator has what the result says, unless nobody could have it. */
static void check_claim(struct player *p, const struct actor *x, const struct converge_result *r)
{
	struct alloc_grant grant = { 0 };

	if (!alloc_find(p->alloc, x->s.key, &grant)) {
		assert_true(r->n == 0 || r->is_left);
		return;
	}
	assert_int_equal(grant.n, r->n);
	for (size_t i = 0; i < grant.n; i++)
		assert_true(addr_eq(&grant.addresses[i], &r->addresses[0]) ||
			    addr_eq(&grant.addresses[i], &r->addresses[1]));
}

static void play_run(struct player *p, const char *line, const char *name, const char *expected)
{
	struct actor *x = actor_named(p, arena_strdup(p->a, name));

	if (!p->alloc)
		p->alloc = alloc_new(&p->cfg);
	x->s.no_pools = p->cfg.n_pools == 0;
	CLEANUP(converge_result_freep) struct converge_result *r = converge_run(p->alloc, &x->s);
	expect_result(line, r, expected);
	check_claim(p, x, r);
	write_status(p, x, r);
}

static void play_claim(struct player *p, char *names)
{
	if (!p->alloc)
		p->alloc = alloc_new(&p->cfg);
	for (char *one; (one = strsep(&names, " "));)
		converge_claim(p->alloc, &actor_named(p, arena_strdup(p->a, one))->s);
}

static void play_del(struct player *p, const char *line, const char *name, const char *expected)
{
	char *key = mem_printf("ns/%s", name);

	if (converge_forget(p->alloc, key) != (strcmp(expected, "others") == 0))
		fail_msg("%s: not so", line);
	free(key);
}

static void play_order(struct player *p, const char *line, const char *names, const char *expected)
{
	const struct converge_service *v[8];
	char *rest = arena_strdup(p->a, names);
	struct buf got = { 0 };
	size_t n = 0;

	for (char *one; (one = strsep(&rest, " "));)
		v[n++] = &actor_named(p, one)->s;
	converge_order(v, n);
	for (size_t i = 0; i < n; i++)
		buf_printf(&got, "%s%s", i ? " " : "", v[i]->key + strlen("ns/"));
	if (strcmp(buf_text(&got), expected) != 0)
		fail_msg("%s: gave %s", line, buf_text(&got));
	buf_fini(&got);
}

static void play_reload(struct player *p)
{
	p->alloc = alloc_free(p->alloc);
	p->cfg.n_pools = 0;
}

static void play_line(struct player *p, char *line)
{
	const char *whole = arena_strdup(p->a, line);
	char *arrow = strstr(line, " =>");
	const char *expected = arrow ? arrow + 3 + (arrow[3] == ' ') : NULL;
	char *rest = line;

	if (arrow)
		*arrow = '\0';
	const char *verb = strsep(&rest, " ");
	if (strcmp(verb, "pool") == 0)
		play_pool(p, rest);
	else if (strcmp(verb, "svc") == 0)
		play_svc(p, rest);
	else if (strcmp(verb, "reload") == 0)
		play_reload(p);
	else if (strcmp(verb, "run") == 0 && expected)
		play_run(p, whole, rest, expected);
	else if (strcmp(verb, "claim") == 0)
		play_claim(p, rest);
	else if (strcmp(verb, "del") == 0 && expected)
		play_del(p, whole, rest, expected);
	else if (strcmp(verb, "order") == 0 && expected)
		play_order(p, whole, rest, expected);
	else
		fail_msg("unknown line %s", whole);
}

static void plays(void **state)
{
	const struct script *s = *state;
	struct player p = { .a = arena_new() };
	char *rest = arena_strdup(p.a, s->text);

	p.cfg.pools = p.pools;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line)
			play_line(&p, line);
	alloc_free(p.alloc);
	arena_free(p.a);
}

/* Two bytes a character, and one that makes any even place the middle of one. */
static char *long_text(struct arena *a, size_t n_chars)
{
	char *text = arena_zero(a, 2 * n_chars + 2, 1);

	text[0] = 'x';
	for (size_t i = 0; i < n_chars; i++)
		memcpy(text + 1 + 2 * i, "é", 2);
	return text;
}

/* Nobody's texts are endless, nor cut through the middle of a character. */
static void check_text(const char *text)
{
	size_t n = strlen(text);
	json_t *json = json_string(text);

	assert_true(n <= CONVERGE_TEXT_MAX);
	assert_non_null(json);
	json_decref(json);
}

static void texts_are_bounded(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct cfg c = { .pools = &pool, .n_pools = 1 };
	CLEANUP(alloc_freep) struct alloc *alloc = alloc_new(&c);
	const char *cluster_ip = "10.96.0.1", *text = long_text(a, 3000);
	struct converge_service s[] = { { .load_balancer_ips.current = text },
					{ .address_pool.current = text },
					{ .load_balancer_ip = text },
					{ .key = text, .cluster_ips = &text } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		s[i].key = s[i].key ? s[i].key : "ns/a";
		s[i].is_load_balancer = true;
		s[i].cluster_ips = s[i].cluster_ips ? s[i].cluster_ips : &cluster_ip;
		s[i].n_cluster_ips = 1;
		CLEANUP(converge_result_freep)
		struct converge_result *r = converge_run(alloc, &s[i]);
		assert_int_equal(r->n_events, 1);
		check_text(r->events[0].text);
		check_text(r->why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(texts_are_bounded) };

	return RUN_TABLE("converge", scripts, plays) + cmocka_run_group_tests(tests, NULL, NULL);
}
