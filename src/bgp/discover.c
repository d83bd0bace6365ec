#include "bgp/discover.h"

#define EVERY	    DUR_S(10) /* adverts; the pace of routers that do the same */
#define SILENT	    DUR_S(15) /* then we ask whether it is still there */
#define GONE	    DUR_S(35) /* three adverts were lost, and our question */
#define BETWEEN	    DUR_S(1)  /* two adverts, however often somebody asks */
#define ANSWER_WAIT 500	      /* ms, at most (RFC 4861 §6.2.6) */

enum { ECHO_REQUEST = 128, ON_LINK_HOPS = 255, ADVERT_MIN = 16, SOLICITATION_MIN = 8 };

void discover_init(struct discover *d, uint64_t seed, struct mono now)
{
	*d = (struct discover){ .at = now };
	rng_seed(&d->rng, seed);
	d->call = (uint16_t)rng_u64(&d->rng);
}

static bool is_before(struct mono since, struct dur d, struct mono now)
{
	return mono_before(now, mono_add(since, d));
}

/* At once, then slower and slower: 1, 2, 4, 8, 10, 10… seconds apart. */
static struct dur pause_of(const struct discover *d)
{
	if (addr_is_set(&d->peer) || d->beats > 3)
		return EVERY;
	return DUR_S((int64_t)1 << d->beats);
}

static bool advert_came(struct discover *d, const struct addr *from, struct mono now)
{
	bool known = addr_eq(&d->peer, from);

	/* Whoever was first has the place until it is silent. */
	if (!known && d->adverts && is_before(d->heard, GONE, now))
		return false;
	d->peer = *from;
	d->adverts = true;
	d->doubted = false;
	d->heard = now;
	d->beats = 0;
	return !known;
}

static void solicitation_came(struct discover *d, struct mono now)
{
	struct mono soon = mono_add(now, DUR_MS((int64_t)rng_below(&d->rng, ANSWER_WAIT)));
	struct mono next = mono_add(d->advertised, BETWEEN);

	d->at = mono_min(d->at, mono_before(soon, next) ? next : soon);
}

static void answer_came(struct discover *d, const struct addr *from, struct rd msg)
{
	if (rd_u16(&msg) != d->call || msg.bad)
		return;
	if (addr_is_set(&d->answered) && !addr_eq(&d->answered, from))
		d->crowded = true;
	d->answered = *from;
}

bool discover_input(struct discover *d, const struct addr *from, uint8_t hops, struct rd msg,
		    struct mono now)
{
	size_t len = msg.left;
	uint8_t type = rd_u8(&msg), code = rd_u8(&msg);
	bool neighbour = from->family == FAMILY_V6 && addr_is_link_local(from);

	rd_skip(&msg, 2); /* the kernel looked at the checksum */
	if (msg.bad || code != 0)
		return false;
	if (type == DISCOVER_ADVERT && neighbour && hops == ON_LINK_HOPS && len >= ADVERT_MIN)
		return advert_came(d, from, now);
	if (type == DISCOVER_SOLICITATION && hops == ON_LINK_HOPS && len >= SOLICITATION_MIN)
		solicitation_came(d, now);
	else if (type == DISCOVER_ECHO_REPLY && neighbour)
		answer_came(d, from, msg);
	return false;
}

/* Nobody advertises itself, or not any more. */
static bool is_open(const struct discover *d)
{
	return !addr_is_set(&d->peer) || d->doubted;
}

/* Whether the last call had one answer, which tells something new. */
static bool answer_counts(struct discover *d)
{
	if (!is_open(d) || !addr_is_set(&d->answered) || d->crowded)
		return false;
	bool other = !addr_eq(&d->peer, &d->answered);

	d->peer = d->answered;
	d->answered = (struct addr){ 0 };
	d->doubted = false;
	return other;
}

static void forget(struct discover *d)
{
	d->peer = (struct addr){ 0 };
	d->adverts = false;
	d->beats = 0;
}

bool discover_tick(struct discover *d, struct mono now, unsigned *send)
{
	*send = DISCOVER_SEND_ADVERT;
	if (d->adverts && !is_before(d->heard, GONE, now))
		forget(d);
	bool found = answer_counts(d);
	if (is_open(d) || (d->adverts && !is_before(d->heard, SILENT, now)))
		*send |= DISCOVER_SEND_SOLICIT;
	/* Those who advertise themselves have the first word. */
	if (is_open(d) && d->beats > 0) {
		*send |= DISCOVER_SEND_CALL;
		d->was_crowded = d->crowded;
		d->answered = (struct addr){ 0 };
		d->crowded = false;
	}
	struct dur pause = pause_of(d);
	d->at = mono_add(now, DUR_NS(rng_between(&d->rng, pause.ns * 3 / 4, pause.ns)));
	d->advertised = now;
	if (d->beats < UINT16_MAX)
		d->beats++;
	return found;
}

void discover_doubt(struct discover *d, struct mono now)
{
	if (!addr_is_set(&d->peer) || d->adverts || d->doubted)
		return;
	d->doubted = true;
	d->at = mono_min(d->at, mono_add(now, BETWEEN));
}

void discover_encode(const struct discover *d, unsigned kind, struct wr *w)
{
	static const uint8_t types[] = {
		[DISCOVER_SEND_ADVERT] = DISCOVER_ADVERT,
		[DISCOVER_SEND_SOLICIT] = DISCOVER_SOLICITATION,
		[DISCOVER_SEND_CALL] = ECHO_REQUEST,
	};

	wr_u8(w, types[kind]);
	wr_fill(w, 0, 3); /* code; the kernel knows the checksum */
	if (kind == DISCOVER_SEND_ADVERT) {
		wr_fill(w, 0, 12); /* no hop limit, no flags, no lifetime, no timers */
		return;
	}
	wr_u16(w, kind == DISCOVER_SEND_CALL ? d->call : 0);
	wr_u16(w, 0);
}

const char *discover_trouble(const struct discover *d)
{
	return d->crowded || d->was_crowded
		       ? "several neighbours answer, and none of them says that it is a router"
		       : "no neighbour was heard";
}
