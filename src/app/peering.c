#include "app/peering.h"

#include <string.h>

#include "app/secret_file.h"
#include "base/bytes.h"

const char *peering_zone(const struct cfg_peer *p)
{
	bool v6 = p->addr.family == FAMILY_V6;
	bool local = cfg_peer_is_unnumbered(p) || (v6 && addr_is_link_local(&p->addr));

	return p->zone || !local ? p->zone : p->interface;
}

static struct bgp_peer_conf peer_conf(const struct cfg_peer *p)
{
	static const enum bgp_asn_rule asn_rules[] = {
		[CFG_ASN_FIXED] = BGP_ASN_EXACT,
		[CFG_ASN_INTERNAL] = BGP_ASN_INTERNAL,
		[CFG_ASN_EXTERNAL] = BGP_ASN_EXTERNAL,
	};
	static const uint8_t roles[] = {
		[CFG_ROLE_NONE] = BGP_ROLE_NONE,
		[CFG_ROLE_PROVIDER] = BGP_ROLE_PROVIDER,
		[CFG_ROLE_RS] = BGP_ROLE_RS,
		[CFG_ROLE_RS_CLIENT] = BGP_ROLE_RS_CLIENT,
		[CFG_ROLE_CUSTOMER] = BGP_ROLE_CUSTOMER,
		[CFG_ROLE_PEER] = BGP_ROLE_PEER,
	};
	struct rd id = rd_from(p->router_id.b, 4); /* unset: zero, and the speaker's rules decide */

	return (struct bgp_peer_conf){
		.name = p->name,
		.unnumbered = cfg_peer_is_unnumbered(p),
		.addr = cfg_peer_is_unnumbered(p) ? (struct addr){ .family = FAMILY_V6 } : p->addr,
		.port = p->port,
		.zone = peering_zone(p),
		.device = p->vrf ? p->vrf : p->interface,
		.source = p->source,
		.ttl = p->ttl_security		 ? UINT8_MAX
		       : cfg_peer_is_internal(p) ? 0
						 : p->ttl,
		.min_ttl = p->ttl_security ? (uint8_t)(UINT8_MAX + 1 - p->ttl_security) : 0,
		.local_as = p->local_asn ? p->local_asn : p->my_asn,
		.real_as = p->local_asn && p->local_asn != p->my_asn ? p->my_asn : 0,
		.peer_as = p->peer_asn,
		.asn_rule = asn_rules[p->dynamic_asn],
		.router_id = rd_u32(&id),
		.hold_s = (uint16_t)(p->hold.ns / 1000000000),
		.keepalive_s = (uint16_t)(p->keepalive.ns / 1000000000),
		.retry_max = p->connect_time,
		.dual_stack = p->dual_stack || cfg_peer_is_unnumbered(p),
		.passive = p->passive,
		.in_vrf = p->vrf != NULL,
		.delay_open = p->delay_open,
		.restart_s = (uint16_t)(p->restart.ns / DUR_S(1).ns),
		.stale_s = p->restart.ns ? (uint32_t)(p->long_lived.ns / DUR_S(1).ns) : 0,
		.role = roles[p->role],
		.max_prefix = p->max_prefix,
		.next_hop4 = p->next_hop4,
		.next_hop6 = p->next_hop6,
		.held = p->bfd && p->bfd_strict,
	};
}

static int password_of(const struct cfg_peer *p, struct peering *out, struct err *e)
{
	out->conf.password = p->password;
	if (!p->password_file)
		return 0;
	if (secret_file_read(p->password_file, out->password, sizeof(out->password), e) < 0)
		return err_wrap(e, "password-file");
	out->conf.password = out->password;
	return 0;
}

static int key_of(const struct cfg_ao_key *k, struct tcp_ao_key *out, struct err *e)
{
	static const enum tcp_ao_algorithm algorithms[] = {
		[CFG_AO_HMAC_SHA1_96] = TCP_AO_HMAC_SHA1_96,
		[CFG_AO_AES_128_CMAC_96] = TCP_AO_AES_128_CMAC_96,
	};
	char secret[128];
	const char *text = k->secret;
	int status = 0;

	if (!text)
		status = secret_file_read(k->secret_file, secret, sizeof(secret), e);
	text = text ? text : secret;
	if (status == 0 && strlen(text) > sizeof(out->secret))
		status = err_set(e, ERR_CONFIG, "longer than %zu bytes", sizeof(out->secret));
	if (status == 0) {
		*out = (struct tcp_ao_key){ .send_id = k->send_id,
					    .receive_id = k->receive_id,
					    .algorithm = algorithms[k->algorithm],
					    .len = (uint8_t)strlen(text) };
		memcpy(out->secret, text, out->len);
	}
	explicit_bzero(secret, sizeof(secret));
	return status;
}

static int keys_of(const struct cfg_peer *p, struct peering *out, struct err *e)
{
	for (size_t i = 0; i < p->tcp_ao.n_keys; i++)
		if (key_of(&p->tcp_ao.keys[i], &out->ao[i], e) < 0)
			return err_wrap(e, "tcp-ao: secret of key %u", p->tcp_ao.keys[i].send_id);
	out->conf.ao = out->ao;
	out->conf.n_ao = p->tcp_ao.n_keys;
	return 0;
}

int peering_make(const struct cfg_peer *p, struct peering *out, struct err *e)
{
	*out = (struct peering){ .conf = peer_conf(p) };
	int status = password_of(p, out, e);
	return status < 0 ? status : keys_of(p, out, e);
}

void peering_wipe(struct peering *p)
{
	explicit_bzero(p, sizeof(*p));
}
