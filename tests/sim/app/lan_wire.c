#include "sim/app/lan.h"

struct addr lan_node_addr(unsigned node)
{
	return addr_v4(10, 20, 0, (uint8_t)(node + 1));
}

struct mac lan_mac(unsigned place)
{
	return (struct mac){ { 2, 0, 0, 0, 1, (uint8_t)place } };
}

bool lan_chance(struct lan *l, unsigned one_of)
{
	return rng_below(&l->rng, one_of) == 0;
}

bool lan_happens(struct lan *l, unsigned of_a_thousand)
{
	return of_a_thousand && rng_below(&l->rng, 1000) < of_a_thousand;
}

bool lan_reaches(const struct lan *l, unsigned from, unsigned to)
{
	return !l->cut || l->side[from] == l->side[to];
}

int64_t lan_delay_us(struct lan *l)
{
	return 30 + (int64_t)rng_below(&l->rng, l->delay_us);
}

struct lan_mail *lan_mail_in(struct lan *l, enum lan_kind kind, unsigned from, unsigned to,
			     int64_t us)
{
	struct lan_mail *m = mem_new(struct lan_mail);

	m->at_us = l->now_us + us;
	m->kind = kind;
	m->from = from;
	m->to = to;
	m->to_life = to < l->n ? l->nodes[to].life : 0;
	return m;
}

/* In order of time; what is for the same moment stays in the order in which it was sent. */
void lan_post(struct lan *l, struct lan_mail *m)
{
	struct list *at = l->mail.prev;

	while (at != &l->mail && LIST_ENTRY(at, struct lan_mail, link)->at_us > m->at_us)
		at = at->prev;
	list_insert_before(at->next, &m->link);
}

static void frame_to(struct lan *l, unsigned from, unsigned to, const uint8_t *bytes, size_t len)
{
	struct lan_mail *m;

	if (to == from || !lan_reaches(l, from, to) || lan_happens(l, l->loss))
		return;
	m = lan_mail_in(l, LAN_FRAME, from, to, lan_delay_us(l));
	m->frame.len = len;
	memcpy(m->frame.bytes, bytes, len);
	lan_post(l, m);
}

void lan_frame_send(struct lan *l, unsigned from, const uint8_t *bytes, size_t len)
{
	bool group = bytes[0] & 1;

	for (unsigned to = 0; to <= LAN_CLIENT; to++)
		if ((to < l->n || to == LAN_CLIENT) &&
		    (group || memcmp(bytes, lan_mac(to).b, sizeof(struct mac)) == 0))
			frame_to(l, from, to, bytes, len);
}

static void deliver(struct lan *l, const struct lan_mail *m)
{
	struct node *n = &l->nodes[m->to];

	if (m->to == LAN_CLIENT)
		client_hear(&l->client, m->frame.bytes);
	else if (n->runs && n->life == m->to_life)
		node_mail(n, m);
	else if (m->kind == LAN_DIAL) /* its kernel says that nobody has the port */
		lan_post(l, lan_mail_in(l, LAN_REFUSED, m->to, m->from, lan_delay_us(l)));
}

static bool waits(const struct lan *l, const struct lan_mail *m)
{
	const struct node *n = &l->nodes[m->to];

	return m->to != LAN_CLIENT && n->runs && n->frozen;
}

static void deliver_due(struct lan *l)
{
	struct lan_mail *m;

	LIST_EACH (m, &l->mail, link) {
		if (m->at_us > l->now_us)
			break;
		if (waits(l, m))
			continue;
		list_remove(&m->link);
		deliver(l, m);
		free(m);
	}
}

void lan_run(struct lan *l, int64_t us)
{
	for (int64_t end = l->now_us + us; l->now_us < end; l->now_us += LAN_STEP_US) {
		deliver_due(l);
		for (unsigned i = 0; i < l->n; i++)
			if (l->nodes[i].runs && !l->nodes[i].frozen)
				node_step(&l->nodes[i]);
		client_step(&l->client);
	}
}

static void settings(struct lan *l)
{
	struct cfg *c = &l->scene.cfg;

	c->cluster = (struct cfg_cluster){
		.enabled = true,
		.fast_detection = { .port = 7947, .interval = DUR_MS(50), .multiplier = 3 },
	};
	c->l2.conflict_detection = true;
	c->l2.allmulti = CFG_ALLMULTI_OFF;
	c->l2.linger = DUR_MS(50);
	c->l2.refresh = DUR_S(60);
	c->n_bgp_advs = 0;
	c->n_peers = 0;
}

struct lan *lan_new(unsigned n, uint64_t seed)
{
	struct lan *l = mem_new(struct lan);

	l->n = n;
	l->now_us = 1000000;
	l->delay_us = 400;
	l->busy = 20;
	l->asks_one_of = 2000;
	l->trace = getenv("LAN_TRACE");
	rng_seed(&l->rng, seed);
	list_init(&l->mail);
	scene_init(&l->scene);
	settings(l);
	l->addr = addr_v4(10, 20, 30, (uint8_t)(1 + rng_below(&l->rng, 200)));
	client_start(&l->client, l);
	return l;
}

void lan_free(struct lan *l)
{
	struct lan_mail *m;

	for (unsigned i = 0; i < l->n; i++)
		if (l->nodes[i].runs)
			node_end(&l->nodes[i]);
	LIST_EACH (m, &l->mail, link)
		free(m);
	scene_fini(&l->scene);
	free(l);
}
