/* Sessions and their echo function: when it runs, what it sends, and whose the packets are that come in. */
#include "bfd/engine_priv.h"

/* RFC 5880 §6.8.9: both sides must allow it, and the session must be up. Over one hop alone, not link-local (echo_io.h). */
static uint32_t pace_of(const struct conn *c)
{
	const struct bfd_session *s = &c->session;

	if (s->state != BFD_UP || c->leaving || c->target.echo_us == 0 ||
	    s->remote_min_echo_us == 0 || c->target.multihop || c->target.ifindex == 0 ||
	    !addr_is_set(&c->sender.from) || !bfd_echo_is_forwarded(&c->sender.from))
		return 0;
	return MAX(c->target.echo_us, s->remote_min_echo_us);
}

void conn_echo_update(struct conn *c, struct mono now)
{
	uint32_t pace_us = pace_of(c);
	uint8_t mult = c->target.session.detect_mult;

	if (pace_us == c->echo.interval_us && mult == c->echo.detect_mult)
		return;
	if (bfd_echo_apply(&c->echo, pace_us, mult, now))
		bfd_session_set_echo(&c->session, pace_us != 0, now);
	if (c->target.status)
		STORE(c->target.status->echo_us, pace_us);
}

static void send_echo(struct conn *c, const uint8_t payload[static BFD_ECHO_LEN], struct mono now)
{
	int rc = bfd_echo_io_send(&c->engine->echo_io, c->target.ifindex, &c->sender.from,
				  &c->target.peer, c->sender.port, payload);

	if (rc < 0)
		bfd_echo_unsent(&c->echo, now);
	else if (c->target.status)
		bfd_count(&c->target.status->echo_out);
}

void conn_echo_run(struct conn *c, struct mono now)
{
	uint8_t payload[BFD_ECHO_LEN];

	switch (bfd_echo_tick(&c->echo, now, payload)) {
	case BFD_ECHO_SEND:
		send_echo(c, payload, now);
		break;
	case BFD_ECHO_FAILED:
		bfd_session_echo_failed(&c->session, now);
		break;
	case BFD_ECHO_NOTHING:
		break;
	}
}

struct mono conn_deadline(const struct conn *c)
{
	return mono_min(bfd_session_deadline(&c->session), bfd_echo_deadline(&c->echo));
}

/* One of ours that has come back? */
static struct conn *find_own(const struct bfd_engine *e, const struct bfd_echo_frame *f)
{
	uint32_t disc = bfd_echo_disc(f->payload);
	struct conn *c = disc ? map_get_bytes(e->by_disc, &disc, sizeof(disc)) : NULL;

	return c && c->target.ifindex == f->ifindex && addr_eq(&c->sender.from, &f->from) ? c
											  : NULL;
}

/* A neighbour's, with whom we agreed to send its echoes back? */
static bool is_neighbours(const struct bfd_engine *e, const struct bfd_echo_frame *f)
{
	struct bfd_peer_key key = key_of(&f->from, false);
	const struct conn *c = map_get_bytes(e->by_peer, &key, sizeof(key));

	while (c && c->target.ifindex != f->ifindex)
		c = c->same_peer;
	return c && c->session.state == BFD_UP && c->session.conf.required_min_echo_us &&
	       (addr_eq(&f->from, &f->to) || addr_eq(&c->sender.from, &f->to));
}

void engine_echo_received(void *ctx, const struct bfd_echo_frame *f)
{
	struct bfd_engine *e = ctx;
	struct conn *c = find_own(e, f);

	if (!c) {
		if (is_neighbours(e, f) && bfd_echo_io_reflect(&e->echo_io, f))
			bfd_count(&e->counters.echo_reflected);
		return;
	}
	if (bfd_echo_rx(&c->echo, f->payload, loop_now(e->conf.loop)) && c->target.status)
		bfd_count(&c->target.status->echo_in);
}
