/*
 * Packets that the kernel notes (net/fast.h) instead of handing them over: those of a session that is up, while each is
 * the same as the one before. Once in a while one has to come the whole way, so that an address that was taken off, or
 * a packet filter, is noticed.
 */
#include <string.h>

#include "bfd/engine_priv.h"

/* So many in a row are the same before the kernel is trusted with the next ones, */
#define STEADY 3

/* and so long they need not reach us. */
#define TRUSTED DUR_S(1)

static void count_noted(struct conn *c, uint64_t n)
{
	struct bfd_session_status *st = c->target.status;

	bfd_count_n(&c->engine->counters.packets_in, n);
	bfd_count_n(&c->engine->counters.packets_noted, n);
	if (!st)
		return;
	bfd_count_n(&st->packets_in, n);
	bfd_count_n(&st->packets_noted, n);
}

void conn_note_read(struct conn *c)
{
	struct mono last;

	if (!fast_note_is_open(&c->note))
		return;
	uint64_t n = fast_note_read(&c->note, &last) - c->noted;
	if (n == 0)
		return;
	c->noted += n;
	count_noted(c, n);
	bfd_session_heard(&c->session, last);
	if (n == 1)
		conn_measure_gap(c, last);
	else
		conn_skip_gap(c, last);
}

static void publish(struct conn *c, bool noting)
{
	c->noting = noting;
	if (c->target.status)
		STORE(c->target.status->noting, noting);
}

void conn_note_end(struct conn *c)
{
	c->repeated = 0;
	if (!c->noting)
		return;
	fast_note_end(&c->note);
	conn_note_read(c);
	publish(c, false);
}

void conn_note_close(struct conn *c)
{
	conn_note_end(c);
	if (fast_note_is_open(&c->note))
		fast_note_close(c->engine->conf.fast, &c->note);
	c->noted = 0;
}

static bool same_packet(const struct conn *c, const struct bfd_rx *rx)
{
	return memcmp(c->packet, rx->bytes.p, FAST_NOTE_LEN) == 0 &&
	       addr_eq(&c->packet_to, &rx->local);
}

static bool has_slot(struct conn *c)
{
	struct fast *fast = c->engine->conf.fast;

	return fast_note_is_open(&c->note) ||
	       fast_note_open(fast, (int)c->target.ifindex, c->session.local_disc, &c->note) == 0;
}

/* Up, and nothing besides but C: a poll wants an answer each time, and a final is one. */
static bool asks_nothing(const struct bfd_rx *rx)
{
	return rx->bytes.left == FAST_NOTE_LEN && (rx->bytes.p[1] & 0xf7) == 0xc0;
}

static bool may_note(const struct conn *c, const struct bfd_rx *rx)
{
	const struct bfd_target *t = &c->target;

	return c->engine->conf.fast && t->noted && !t->multihop && t->ifindex && !c->leaving &&
	       asks_nothing(rx) && bfd_session_is_steady(&c->session);
}

void conn_note_received(struct conn *c, const struct bfd_rx *rx)
{
	if (!may_note(c, rx)) {
		conn_note_end(c);
		return;
	}
	if (!same_packet(c, rx)) {
		conn_note_end(c);
		memcpy(c->packet, rx->bytes.p, FAST_NOTE_LEN);
		c->packet_to = rx->local;
	}
	if (++c->repeated < STEADY || !has_slot(c))
		return;
	fast_note_begin(&c->note, &c->target.peer, &c->packet_to, c->packet,
			mono_add(rx->at, TRUSTED));
	publish(c, true);
}
