#include "net/tcp_ao.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/tcp_ao_abi.h"

enum { MAC_BYTES = 12 }; /* 96 bits: RFC 5926 §3.2 */

/* As the kernel's crypto calls them; cmac(aes128) is its word for the whole of RFC 5926 §3.1.1.2, with keys of any length. */
static const char *const kernel_names[] = {
	[TCP_AO_HMAC_SHA1_96] = "hmac(sha1)",
	[TCP_AO_AES_128_CMAC_96] = "cmac(aes128)",
};

bool tcp_ao_key_eq(const struct tcp_ao_key *a, const struct tcp_ao_key *b)
{
	return a->send_id == b->send_id && a->receive_id == b->receive_id &&
	       a->algorithm == b->algorithm && a->len == b->len &&
	       memcmp(a->secret, b->secret, a->len) == 0;
}

static void put_peer(struct __kernel_sockaddr_storage *out, const struct addr *peer)
{
	struct sockaddr_storage ss;

	addr_to_sockaddr(peer, 0, 0, &ss);
	static_assert(sizeof(*out) == sizeof(ss), "one is the other");
	memcpy(out, &ss, sizeof(*out));
}

void tcp_ao_encode(const struct addr *peer, const struct tcp_ao_key *key, bool first,
		   struct tcp_ao_add *out)
{
	*out = (struct tcp_ao_add){
		.set_current = first,
		.set_rnext = first,
		.prefix = (uint8_t)addr_bits(peer),
		.sndid = key->send_id,
		.rcvid = key->receive_id,
		.maclen = MAC_BYTES,
		.keylen = key->len,
	};
	put_peer(&out->addr, peer);
	snprintf(out->alg_name, sizeof(out->alg_name), "%s", kernel_names[key->algorithm]);
	memcpy(out->key, key->secret, key->len);
}

/* What the kernel's short words mean here. */
static int failed(const struct tcp_ao_key *key, struct err *e)
{
	if (errno == ENOPROTOOPT)
		return err_set(e, ERR_SYSTEM,
			       "this kernel has no TCP-AO: it takes Linux 6.7 or later with "
			       "CONFIG_TCP_AO; password (TCP MD5) works on every kernel");
	if (errno == ENOENT)
		return err_set(e, ERR_SYSTEM, "this kernel lacks %s, which TCP-AO key %u needs",
			       kernel_names[key->algorithm], key->send_id);
	return err_errno(e, "set TCP-AO key %u", key->send_id);
}

int tcp_ao_add(int fd, const struct addr *peer, const struct tcp_ao_key *key, bool first,
	       struct err *e)
{
	struct tcp_ao_add add;

	tcp_ao_encode(peer, key, first, &add);
	int rc = setsockopt(fd, IPPROTO_TCP, TCP_AO_ADD_KEY, &add, sizeof(add));
	explicit_bzero(&add, sizeof(add));
	return rc < 0 ? failed(key, e) : 0;
}

int tcp_ao_del(int fd, const struct addr *peer, const struct tcp_ao_key *key,
	       const struct tcp_ao_key *instead, struct err *e)
{
	struct tcp_ao_del del = {
		.prefix = (uint8_t)addr_bits(peer),
		.sndid = key->send_id,
		.rcvid = key->receive_id,
	};

	put_peer(&del.addr, peer);
	int rc = setsockopt(fd, IPPROTO_TCP, TCP_AO_DEL_KEY, &del, sizeof(del));
	if (rc < 0 && errno == EBUSY && instead) {
		del.set_current = del.set_rnext = 1;
		del.current_key = instead->send_id;
		del.rnext = instead->receive_id;
		rc = setsockopt(fd, IPPROTO_TCP, TCP_AO_DEL_KEY, &del, sizeof(del));
	}
	return rc < 0 ? err_errno(e, "remove TCP-AO key %u", key->send_id) : 0;
}

int tcp_ao_ask_for(int fd, const struct tcp_ao_key *key, struct err *e)
{
	const struct tcp_ao_info_opt info = { .set_rnext = 1, .rnext = key->receive_id };

	if (setsockopt(fd, IPPROTO_TCP, TCP_AO_INFO, &info, sizeof(info)) < 0)
		return err_errno(e, "ask for TCP-AO key %u", key->receive_id);
	return 0;
}

bool tcp_ao_is_on(int fd)
{
	struct tcp_ao_info_opt info = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_AO_INFO, &info, &len) == 0;
}
